import type { TypedArray } from '@gradpack/core';
import { runCase, seededRandom } from '@gradpack/testkit';
import { describe, expect, test } from 'vitest';
import { CPU64, nodeBackends } from '../support/backends.js';
import { randomProgram } from './random-program.js';

const PROGRAMS = 400;

describe.each(nodeBackends())('what a recording makes of its calls × $name', ({ name, missing, make }) => {
  test.skipIf(missing !== undefined)(`writes the same numbers: ${PROGRAMS} programs`, async () => {
    const backend = await make();
    let [recordedCalls, madeCalls] = [0, 0];
    for (let seed = 0; seed < PROGRAMS; seed++) {
      const { recorded, made, seen } = randomProgram(seededRandom(seed), backend.limits);
      recordedCalls += recorded.program.calls.length;
      madeCalls += made.program.calls.length;
      const expected = await runCase(backend, recorded);
      for (const { buffer, got } of await runCase(backend, made)) {
        const same = expected[seen.get(buffer)!]!.got;
        // in float32 a bias may be added last, and cpu rounds less often between two stores
        if (name === CPU64.name) expect(got, `program ${seed}, buffer ${buffer}`).toEqual(same);
        else expect(largestError(got, same), `program ${seed}, buffer ${buffer}`).toBeLessThan(1e-5);
      }
    }
    expect(madeCalls).toBeLessThan(0.8 * recordedCalls);
    await backend.dispose();
  });
});

function largestError(got: TypedArray, expected: TypedArray): number {
  const scale = Math.max(1, ...Array.from(expected, (x) => (Number.isFinite(x) ? Math.abs(x) : 0)));
  return Math.max(
    0,
    ...Array.from(got, (x, i) => (Object.is(x, expected[i]) ? 0 : Math.abs(x - expected[i]!) / scale)),
  );
}
