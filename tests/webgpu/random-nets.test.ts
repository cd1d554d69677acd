import type { Backend } from '@gradpack/core';
import { randomNet, seededRandom } from '@gradpack/testkit';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { errorsAgainstTruth } from '../support/against-truth.js';
import { afterNet, unexplainedErrors } from '../support/conditioning.js';
import { webgpuBackend } from '../support/webgpu-backend.js';

const backend = await webgpuBackend();
afterAll(() => backend?.dispose());

describe.skipIf(!backend)('random nets: every quantity equals its definition × webgpu', () => {
  test('20 nets', async () => {
    await fc.assert(
      fc.asyncProperty(fc.noShrink(fc.integer({ min: 0, max: 2 ** 31 - 1 })), async (seed) => {
        const random = seededRandom(seed);
        const spec = randomNet(random);
        const errors = await errorsAgainstTruth(spec, backend as Backend, random);
        expect(await unexplainedErrors(errors, spec, afterNet(seed))).toEqual([]);
        expect(backend?.memory().live).toBe(0);
      }),
      { numRuns: 20 },
    );
  });
});
