import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'vitest';
import type { NetSpec, SpecArray } from '../../src/net-spec.js';
import { evaluate, ggnVectorProduct, hessianVectorProduct, type TruthQuantity, truth } from '../../src/truth/index.js';
import { expectAllWithin, expectWithin } from '../within.js';

type Arrays = Readonly<Record<string, SpecArray>>;
type Product = { readonly vectors: Arrays; readonly products: Arrays };

interface Golden {
  readonly name: string;
  readonly net: NetSpec;
  readonly expected: Readonly<Record<string, unknown>>;
  readonly draws?: { readonly labels: SpecArray };
}

const folder = new URL('../../../../reference/golden/', import.meta.url);
const goldens = readdirSync(folder)
  .filter((file) => file.endsWith('.json') && file !== 'index.json')
  .map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Golden);

const TOLERANCE = 1e-9;

/** What PyTorch and BackPACK computed is the truth, to the digits that are stored. */
describe.each(goldens)('$name', ({ net, expected, draws }) => {
  const t = truth(net, draws);

  it.each(Object.keys(expected))('%s', (quantity) => {
    const value = expected[quantity];
    switch (quantity) {
      case 'loss':
        return expectWithin(
          { shape: [], data: [evaluate(net).loss] },
          { shape: [], data: [value as number] },
          TOLERANCE,
        );
      case 'output':
        return expectWithin(evaluate(net).output, value as SpecArray, TOLERANCE);
      case 'hessianVectorProduct':
      case 'ggnVectorProduct': {
        const product = quantity === 'ggnVectorProduct' ? ggnVectorProduct : hessianVectorProduct;
        const { vectors, products } = value as Product;
        return expectAllWithin(product(net, vectors), products, TOLERANCE);
      }
      case 'batchGradSubsampled':
      case 'sqrtGgnExactSubsampled': {
        const { samples, results } = value as { readonly samples: readonly number[]; readonly results: Arrays };
        const axis = quantity === 'batchGradSubsampled' ? 0 : 1;
        const all = quantity === 'batchGradSubsampled' ? t.batchGrad : t.sqrtGgnExact;
        return expectAllWithin(
          mapped(all, (array) => rowsOf(array, axis, samples)),
          results,
          TOLERANCE,
        );
      }
      case 'kfac':
      case 'kflr':
        return expectAllWithin(flattened(t[quantity]), flattened(value as Readonly<Record<string, object>>), TOLERANCE);
      default:
        return expectAllWithin(t[quantity as Exclude<TruthQuantity, 'kfac' | 'kflr'>], value as Arrays, TOLERANCE);
    }
  });
});

function mapped(arrays: Arrays, change: (array: SpecArray) => SpecArray): Arrays {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, change(array)]));
}

function rowsOf({ shape, data }: SpecArray, axis: number, rows: readonly number[]): SpecArray {
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const extent = shape[axis]!;
  const outer = data.length / (extent * inner);
  const picked = Array.from({ length: outer }, (_, o) =>
    rows.flatMap((row) => data.slice((o * extent + row) * inner, (o * extent + row + 1) * inner)),
  );
  return { shape: shape.with(axis, rows.length), data: picked.flat() };
}

/** { w: { output, input } } as { 'w output': …, 'w input': … } */
function flattened(factors: Readonly<Record<string, object>>): Arrays {
  return Object.fromEntries(
    Object.entries(factors).flatMap(([name, pair]) =>
      Object.entries(pair as Arrays).map(([side, array]) => [`${name} ${side}`, array]),
    ),
  );
}
