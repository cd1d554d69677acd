import type { ConvolutionSpec } from '@gradpack/core';
import { get, indicesOf, put, putAll, type ReferenceKernel, set } from './place.js';
import { position, positions } from './position.js';

export const gemm: ReferenceKernel<'gemm'> = ({ batch, M, N, K, a, b, c, alpha, accumulate, bias }, reads, writes) => {
  for (const [i, m, n] of indicesOf([batch, M, N]) as Generator<[number, number, number]>) {
    let sum = 0;
    for (let k = 0; k < K; k++)
      sum += get(reads, 0, i * a.b + m * a.m + k * a.k) * get(reads, 1, i * b.b + k * b.k + n * b.n);
    const start = bias === undefined ? 0 : get(reads, 2, bias === 'm' ? m : n);
    put(writes, 0, i * c.b + m * c.m + n * c.n, start + alpha * sum, accumulate);
  }
};

/** Calls `visit` with every (x index, W index, y index) that meet in the convolution. */
function visitProducts(
  { V, N, xPerColumn, weightPerColumn, view, window }: ConvolutionSpec,
  broadcast: 'x' | 'y',
  visit: (x: number, w: number, y: number) => void,
): void {
  const { G, O, C, K, strides } = view;
  const S = positions(window.input);
  const T = positions(window.output);
  for (const [v, n, g, o, c, k, t] of indicesOf([V, N, G, O, C, K, T]) as Generator<
    [number, number, number, number, number, number, number]
  >) {
    const p = position(window, k, t);
    if (p < 0) continue;
    const vx = broadcast === 'x' && !xPerColumn ? 0 : v;
    const vy = broadcast === 'y' && !xPerColumn ? 0 : v;
    const weight =
      (weightPerColumn ? v * G * O * C * K : 0) + g * strides.g + o * strides.o + c * strides.c + k * strides.k;
    visit(((vx * N + n) * G * C + g * C + c) * S + p, weight, ((vy * N + n) * G * O + g * O + o) * T + t);
  }
}

export const convolve: ReferenceKernel<'convolve'> = (spec, reads, writes) => {
  const [channels, T] = [spec.view.G * spec.view.O, positions(spec.window.output)];
  const result = Float64Array.from({ length: spec.V * spec.N * channels * T }, (_, i) =>
    spec.bias ? get(reads, 2, Math.floor(i / T) % channels) : 0,
  );
  visitProducts(spec, 'x', (x, w, y) => {
    result[y] = (result[y] as number) + get(reads, 0, x) * get(reads, 1, w);
  });
  putAll(writes, 0, result, spec.accumulate);
};

export const convolveTransposed: ReferenceKernel<'convolveTransposed'> = (spec, reads, writes) => {
  const result = new Float64Array(spec.V * spec.N * spec.view.G * spec.view.C * positions(spec.window.input));
  visitProducts(spec, 'y', (x, w, y) => {
    result[x] = (result[x] as number) + get(reads, 0, y) * get(reads, 1, w);
  });
  putAll(writes, 0, result, spec.accumulate);
};

export const maxPool: ReferenceKernel<'maxPool'> = ({ rows, window }, reads, writes) => {
  const [S, T, K] = [positions(window.input), positions(window.output), positions(window.kernel)];
  for (const [r, t] of indicesOf([rows, T]) as Generator<[number, number]>) {
    let best = Number.NEGATIVE_INFINITY;
    let where = -1;
    for (let k = 0; k < K; k++) {
      const p = position(window, k, t);
      if (p < 0) continue;
      const x = get(reads, 0, r * S + p);
      if (where < 0 || x > best || (Number.isNaN(x) && !Number.isNaN(best))) [best, where] = [x, p];
    }
    set(writes, 0, r * T + t, best);
    set(writes, 1, r * T + t, where);
  }
};

export const averagePool: ReferenceKernel<'averagePool'> = ({ rows, window, divisors }, reads, writes) => {
  const [S, T, K] = [positions(window.input), positions(window.output), positions(window.kernel)];
  for (const [r, t] of indicesOf([rows, T]) as Generator<[number, number]>) {
    let sum = 0;
    for (let k = 0; k < K; k++) if (position(window, k, t) >= 0) sum += get(reads, 0, r * S + position(window, k, t));
    set(writes, 0, r * T + t, sum / (divisors[t] as number));
  }
};

export const averagePoolTransposed: ReferenceKernel<'averagePoolTransposed'> = (
  { rows, window, divisors },
  reads,
  writes,
) => {
  const [S, T, K] = [positions(window.input), positions(window.output), positions(window.kernel)];
  const result = new Float64Array(rows * S);
  for (const [r, k, t] of indicesOf([rows, K, T]) as Generator<[number, number, number]>) {
    const p = position(window, k, t);
    if (p >= 0) result[r * S + p] = (result[r * S + p] as number) + get(reads, 0, r * T + t) / (divisors[t] as number);
  }
  putAll(writes, 0, result, false);
};
