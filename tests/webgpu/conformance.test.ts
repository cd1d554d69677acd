import { webgpu } from '@gradpack/backend-webgpu';
import type { Backend } from '@gradpack/core';
import { backendBehaviour, conformanceCases, runCase, worstError } from '@gradpack/testkit';
import { afterAll, describe, expect, test } from 'vitest';

/** Of the largest entry; float32 has 6e-8, and sums are short. */
const TOLERANCE = 1e-5;

// with the software GPU an adapter must be there; elsewhere a machine without one skips
const required = import.meta.env.GRADPACK_SOFTWARE_GPU === '1';
const backend: Backend | undefined = await webgpu().catch((reason: unknown) => {
  if (required) throw reason;
  return undefined;
});

afterAll(() => backend?.dispose());

/** A linear congruential generator: the same data in Node and in the browser. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe.skipIf(!backend)('webgpu conformance', () => {
  test.each(conformanceCases(generator(1)).map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    expect(worstError(await runCase(backend as Backend, one))).toBeLessThanOrEqual(TOLERANCE);
  });

  test('nothing is left behind', () => {
    expect(backend?.memory()).toMatchObject({ live: 0, plans: 0 });
  });
});

describe.skipIf(!backend)('webgpu behaviour', () => {
  test.each(backendBehaviour(() => webgpu()).map((check) => [check.name, check] as const))('%s', (_name, check) =>
    check.run(),
  );
});
