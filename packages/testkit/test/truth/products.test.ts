import { describe, it } from 'vitest';
import type { NetSpec, SpecArray } from '../../src/net-spec.js';
import { randomLabels, randomNet, seededRandom } from '../../src/random-net/index.js';
import { ggnVectorProduct, hessianVectorProduct, truth } from '../../src/truth/index.js';
import { randomVectors } from '../random-vectors.js';
import { expectAllWithin } from '../within.js';

const seeds = Array.from({ length: 30 }, (_, seed) => seed);

/** The net at θ + distance · v. */
function moved(net: NetSpec, vectors: Readonly<Record<string, SpecArray>>, distance: number): NetSpec {
  const parameters = Object.entries(net.parameters).map(([name, parameter]) => {
    const vector = vectors[name]?.data;
    const data = parameter.data.map((entry, i) => entry + distance * (vector?.[i] ?? 0));
    return [name, { ...parameter, data }];
  });
  return { ...net, parameters: Object.fromEntries(parameters) };
}

function combined(
  arrays: readonly Readonly<Record<string, SpecArray>>[],
  entry: (values: readonly number[]) => number,
): Record<string, SpecArray> {
  return Object.fromEntries(
    Object.entries(arrays[0]!).map(([name, { shape, data }]) => [
      name,
      { shape, data: data.map((_, i) => entry(arrays.map((array) => array[name]!.data[i]!))) },
    ]),
  );
}

const STEP = 1e-5;

describe.each(seeds)('random net of seed %i', (seed) => {
  const random = seededRandom(seed);
  const net = randomNet(random);
  const vectors = randomVectors(net, random);
  const labels = randomLabels(net, random, 2);

  it('hessianVectorProduct is the directional difference of gradients', () => {
    const at = (distance: number) => truth(moved(net, vectors, distance)).gradient;
    const difference = combined([at(STEP), at(-STEP)], ([after = 0, before = 0]) => (after - before) / (2 * STEP));
    const size = 1 + Math.max(...Object.values(difference).flatMap(({ data }) => data.map(Math.abs)));
    // a product may be zero: compared relative to the largest of all, not of each
    const error = combined([difference, hessianVectorProduct(net, vectors)], ([a = 0, b = 0]) => 1 + (a - b) / size);
    expectAllWithin(
      error,
      combined([difference], () => 1),
      1e-7,
    );
  });

  it('squares of the square root sum to the diagonals', () => {
    const t = truth(net, { labels });
    const summed = (roots: Readonly<Record<string, SpecArray>>, like: Readonly<Record<string, SpecArray>>) =>
      Object.fromEntries(
        Object.entries(like).map(([name, { shape, data }]) => {
          const root = roots[name]!.data;
          const squares = data.map((_, i) =>
            root.filter((_, j) => j % data.length === i).reduce((s, g) => s + g * g, 0),
          );
          return [name, { shape, data: squares }];
        }),
      );
    expectAllWithin(t.diagGgnExact, summed(t.sqrtGgnExact, t.diagGgnExact), 1e-10, 'exact');
    expectAllWithin(t.batchDiagGgnExact, summed(t.sqrtGgnExact, t.batchDiagGgnExact), 1e-10, 'exact per sample');
    expectAllWithin(t.diagGgnMc, summed(t.sqrtGgnMc, t.diagGgnMc), 1e-10, 'sampled');
    expectAllWithin(t.batchDiagGgnMc, summed(t.sqrtGgnMc, t.batchDiagGgnMc), 1e-10, 'sampled per sample');
  });

  it('ggnVectorProduct is Σ S (Sᵀ v)', () => {
    const { sqrtGgnExact } = truth(net);
    const names = Object.keys(sqrtGgnExact);
    const rows = sqrtGgnExact[names[0]!]!.shape.slice(0, 2).reduce((a, b) => a * b, 1);
    const row = (name: string, r: number): readonly number[] => {
      const { data } = sqrtGgnExact[name]!;
      return data.slice((r * data.length) / rows, ((r + 1) * data.length) / rows);
    };
    const expected = Object.fromEntries(
      names.map((name) => {
        const { shape, data } = vectors[name]!;
        return [name, { shape, data: data.map(() => 0) }];
      }),
    );
    for (let r = 0; r < rows; r++) {
      let dot = 0;
      for (const name of names)
        row(name, r).forEach((g, i) => {
          dot += g * vectors[name]!.data[i]!;
        });
      for (const name of names)
        row(name, r).forEach((g, i) => {
          expected[name]!.data[i]! += g * dot;
        });
    }
    const largest = Math.max(...Object.values(expected).flatMap(({ data }) => data.map(Math.abs)), 1e-3);
    const error = combined([expected, ggnVectorProduct(net, vectors)], ([a = 0, b = 0]) => 1 + (a - b) / largest);
    expectAllWithin(
      error,
      combined([expected], () => 1),
      1e-10,
    );
  });
});
