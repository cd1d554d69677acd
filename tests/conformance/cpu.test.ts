import { cpu } from '@gradpack/backend-cpu';
import { backendBehaviour, conformanceCases, runCase, worstError } from '@gradpack/testkit';
import { afterAll, describe, expect, it } from 'vitest';

/** A linear congruential generator: the suite has the same cases on every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

const TOLERANCES = { float64: 1e-12, float32: 1e-5 } as const;

describe.each(['float64', 'float32'] as const)('cpu %s', (precision) => {
  const backend = cpu({ precision, poison: true });

  it.each(conformanceCases(seeded(20_260)).map((c) => [c.name, c] as const))('%s', async (_name, conformanceCase) => {
    expect(worstError(await runCase(backend, conformanceCase))).toBeLessThanOrEqual(TOLERANCES[precision]);
  });

  it.each(backendBehaviour(() => cpu({ precision })).map((check) => [check.name, check] as const))(
    '%s',
    (_name, check) => check.run(),
  );

  afterAll(() => {
    expect(backend.memory()).toMatchObject({ live: 0, plans: 0 });
  });
});
