import { cpu } from '@gradpack/backend-cpu';
import type { Quantities } from '@gradpack/core';
import { firstOrder } from '@gradpack/extensions-firstorder';
import * as second from '@gradpack/extensions-secondorder';
import { seededRandom } from '@gradpack/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { errorsAgainstTruth } from '../support/against-truth.js';
import type { QuantityError } from '../support/compare.js';
import { errorsAgainstDifferences } from './against-differences.js';
import { builtIn, supportMatrix } from './matrix.js';
import { specs, subjects } from './small-nets.js';

const backend = cpu({ precision: 'float64' });
const quantities = [...firstOrder.quantities, ...second.secondOrder.quantities];

/** The registry's names as the truth spells them. */
const truthName = (quantity: string): string => quantity.replace('GGN', 'Ggn').replace(/MC$/, 'Mc');

async function errorsOf(layer: string): Promise<{ readonly errors: readonly QuantityError[]; readonly limit: number }> {
  const spec = specs[layer];
  if (spec) return { errors: await errorsAgainstTruth(spec, backend, seededRandom(1), { mode: 'eval' }), limit: 1e-10 };
  const subject = subjects[layer];
  if (!subject) throw new Error(`no net for ${layer}: give it one in small-nets.ts`);
  const asked = (sampled: object): Quantities => ({
    ...Object.fromEntries(quantities.map((quantity) => [quantity.name, quantity])),
    diagGGNMC: second.diagGGNMC(sampled),
    batchDiagGGNMC: second.batchDiagGGNMC(sampled),
    sqrtGGNMC: second.sqrtGGNMC(sampled),
    kfac: second.kfac(sampled),
  });
  return { errors: await errorsAgainstDifferences(subject(), backend, asked), limit: 1e-6 };
}

const kinds = [...new Set(builtIn.pairs().map(({ layer }) => layer))];
const cells = (kind: string) => builtIn.pairs().filter(({ layer }) => layer === kind);

describe.each(kinds)('%s', (kind) => {
  let found: Awaited<ReturnType<typeof errorsOf>>;
  beforeAll(async () => {
    found = await errorsOf(kind);
  });
  test.each(cells(kind).filter(({ support }) => support.supported))('× $quantity', ({ quantity }) => {
    const own = found.errors.filter((error) => [quantity, truthName(quantity)].includes(error.quantity));
    expect(own.length).toBeGreaterThan(0);
    expect(own.filter(({ error }) => !(error <= found.limit))).toEqual([]);
  });
});

test('no pair of built-in layers and quantities is missing', () => {
  expect(builtIn.pairs().filter(({ support }) => !support.supported)).toEqual([]);
});

test('the page in docs/guide is this registry', async () => {
  await expect(supportMatrix()).toMatchFileSnapshot('../../docs/guide/support-matrix.md');
});
