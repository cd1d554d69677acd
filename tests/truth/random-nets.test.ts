import { randomNet, seededRandom } from '@gradpack/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errorsAgainstTruth } from '../support/against-truth.js';
import { CPU64, nodeBackends } from '../support/backends.js';
import { afterNet, unexplainedErrors } from '../support/conditioning.js';

/** Nets a run: all on cpu float64, some on the others. fast-check prints the seed of a failure. */
const NETS = { [CPU64.name]: 200 } as Readonly<Record<string, number>>;

describe.each(nodeBackends())(
  'random nets: every quantity equals its definition × $name',
  ({ name, missing, make }) => {
    test.skipIf(missing !== undefined)(
      `${NETS[name] ?? 20} nets`,
      async () => {
        const backend = await make();
        await fc.assert(
          fc.asyncProperty(fc.noShrink(fc.integer({ min: 0, max: 2 ** 31 - 1 })), async (seed) => {
            const random = seededRandom(seed);
            const spec = randomNet(random);
            const errors = await errorsAgainstTruth(spec, backend, random);
            const wrong =
              name === CPU64.name
                ? errors.filter(({ quantity, error }) => !(error <= CPU64.tolerance.truth(quantity)))
                : await unexplainedErrors(errors, spec, afterNet(seed));
            expect(wrong).toEqual([]);
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
