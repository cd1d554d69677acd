import { randomNet, seededRandom } from '@gradpack/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errorsAgainstTruth } from '../support/against-truth.js';
import { CPU64, nodeBackends } from '../support/backends.js';

/** Nets a run: all on cpu float64, some on the others. fast-check prints the seed of a failure. */
const NETS = { [CPU64.name]: 200 } as Readonly<Record<string, number>>;

describe.each(nodeBackends())(
  'random nets: every quantity equals its definition × $name',
  ({ name, missing, make, tolerance }) => {
    test.skipIf(missing !== undefined)(
      `${NETS[name] ?? 20} nets`,
      async () => {
        const backend = await make();
        await fc.assert(
          fc.asyncProperty(fc.noShrink(fc.integer({ min: 0, max: 2 ** 31 - 1 })), async (seed) => {
            const random = seededRandom(seed);
            const errors = await errorsAgainstTruth(randomNet(random), backend, random);
            expect(errors.filter(({ quantity, error }) => !(error <= tolerance.truth(quantity)))).toEqual([]);
            expect(backend.memory().live).toBe(0);
          }),
          { numRuns: NETS[name] ?? 20 },
        );
        await backend.dispose();
      },
      120_000,
    );
  },
);
