import type { BackwardOptions } from '@gradpack/core';
import { randomNet, seededRandom } from '@gradpack/testkit';
import { describe, expect, test } from 'vitest';
import { errorsAgainstTruth } from '../support/against-truth.js';
import { CPU64, withColumnBytes } from '../support/backends.js';

interface Strategy extends BackwardOptions {
  readonly columnBytes?: number;
}

const strategies: readonly (readonly [string, Strategy])[] = [
  ['one column at a time', { columns: 1 }],
  ['three columns at a time', { columns: 3 }],
  ['columns cut where they get wide', { columnBytes: 700 }],
  ['columns cut everywhere', { columnBytes: 1 }],
  ['inner columns in separate passes', { inner: 'separate' }],
  ['inner columns in separate passes, cut where they get wide', { inner: 'separate', columnBytes: 1500 }],
  ['inner columns in one growing pass', { inner: 'growing' }],
];

describe.each(strategies)('%s: the same results', (_, { columnBytes, ...options }) => {
  test('30 random nets', async () => {
    const made = await CPU64.make();
    const backend = columnBytes === undefined ? made : withColumnBytes(made, columnBytes);
    for (let seed = 1; seed <= 30; seed++) {
      const random = seededRandom(seed);
      const errors = await errorsAgainstTruth(randomNet(random), backend, random, options);
      expect(
        errors.filter(({ quantity, error }) => !(error <= CPU64.tolerance.truth(quantity))),
        `seed ${seed}`,
      ).toEqual([]);
    }
    await made.dispose();
  });
});
