import type { BoundLoss, Loss, TensorRef } from '@gradpack/core';
import { evaluate, type Numbers } from '../layers/numbers.js';

/** What a loss at an output and a target gives. */
export function at(
  loss: Loss,
  output: Numbers,
  target: Numbers,
  ask: (bound: BoundLoss, put: (x: Numbers) => TensorRef) => TensorRef,
): Numbers {
  return evaluate((k, put) => [ask(loss.bind(put(output), put(target), k), put)])[0] as Numbers;
}

/** Columns e_v, one for each feature of a sample: [F, N, ...features]. */
export function unitColumns({ shape }: Numbers): Numbers {
  const [N = 1, ...features] = shape;
  const F = features.reduce((size, extent) => size * extent, 1);
  const data = new Float64Array(F * N * F);
  for (let v = 0; v < F; v++) for (let n = 0; n < N; n++) data[(v * N + n) * F + v] = 1;
  return { shape: [F, ...shape], data };
}

/** `Σ_v S[v, n, i] S[v, n, j]` for columns [V, N, ...features], as [F, N, F] (i, n, j), like the product with `unitColumns`. */
export function outerSum({ shape, data }: Numbers): Numbers {
  const [V = 1, N = 1, ...features] = shape;
  const F = features.reduce((size, extent) => size * extent, 1);
  const sum = new Float64Array(F * N * F);
  for (let v = 0; v < V; v++)
    for (let n = 0; n < N; n++)
      for (let i = 0; i < F; i++)
        for (let j = 0; j < F; j++)
          sum[(i * N + n) * F + j] =
            (sum[(i * N + n) * F + j] as number) +
            (data[(v * N + n) * F + i] as number) * (data[(v * N + n) * F + j] as number);
  return { shape: [F, N, ...features], data: sum };
}

/** The largest error of one entry, relative to that entry. */
export function entrywise(got: Numbers, expected: ArrayLike<number>): number {
  if (got.data.length !== expected.length) throw new Error(`${got.data.length} entries in place of ${expected.length}`);
  return Math.max(
    ...Array.from(got.data, (x, i) =>
      x === expected[i] ? 0 : Math.abs(x - (expected[i] as number)) / Math.abs(expected[i] as number),
    ),
  );
}
