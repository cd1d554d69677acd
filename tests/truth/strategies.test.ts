import type { BackwardOptions } from '@gradpack/core';
import { randomNet, seededRandom } from '@gradpack/testkit';
import { describe, expect, test } from 'vitest';
import { errorsAgainstTruth } from '../support/against-truth.js';
import { CPU64 } from '../support/backends.js';

const strategies: readonly (readonly [string, BackwardOptions])[] = [
  ['one column at a time', { columns: 1 }],
  ['three columns at a time', { columns: 3 }],
  ['inner columns in separate passes', { inner: 'separate' }],
  ['inner columns in one growing pass', { inner: 'growing' }],
];

describe.each(strategies)('%s: the same results', (_, options) => {
  test('30 random nets', async () => {
    const backend = await CPU64.make();
    for (let seed = 1; seed <= 30; seed++) {
      const random = seededRandom(seed);
      const errors = await errorsAgainstTruth(randomNet(random), backend, random, options);
      expect(
        errors.filter(({ quantity, error }) => !(error <= CPU64.tolerance.truth(quantity))),
        `seed ${seed}`,
      ).toEqual([]);
    }
    await backend.dispose();
  });
});
