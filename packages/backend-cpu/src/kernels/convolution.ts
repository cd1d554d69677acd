import type { ConvolutionSpec } from '@gradpack/core';
import { sizeOf } from '@gradpack/core';
import { type Matrix, multiply } from './multiply.js';
import type { CpuKernel, Place } from './place.js';
import { operand } from './place.js';
import { fold, isPointwise, unfold } from './unfold.js';

/** Output positions (of one or of several samples) that are unfolded and multiplied at once. */
const POSITIONS = 256;

/** A run of positions [t0, t1) of sample `sample`, at column `at` of the unfolded tile. */
interface Piece {
  readonly sample: number;
  readonly t0: number;
  readonly t1: number;
  readonly at: number;
}

/** Cuts samples × T positions into tiles of at most `POSITIONS` columns. */
function* tilesOf(
  samples: number,
  T: number,
): Generator<{ readonly pieces: readonly Piece[]; readonly columns: number }> {
  let pieces: Piece[] = [];
  let columns = 0;
  for (let sample = 0; sample < samples; sample++)
    for (let t0 = 0; t0 < T; ) {
      const t1 = Math.min(T, t0 + POSITIONS - columns);
      pieces.push({ sample, t0, t1, at: columns });
      columns += t1 - t0;
      t0 = t1;
      if (columns === POSITIONS) {
        yield { pieces, columns };
        pieces = [];
        columns = 0;
      }
    }
  if (columns > 0) yield { pieces, columns };
}

/** Which weights meet which images: runs of columns that share W are one longer batch. */
interface Share {
  readonly weight: number;
  /** First image of the source and of the target. */
  readonly from: number;
  readonly to: number;
  readonly images: number;
}

function sharesOf({ V, N, xPerColumn, weightPerColumn, view }: ConvolutionSpec): readonly Share[] {
  if (!weightPerColumn && xPerColumn) return [{ weight: 0, from: 0, to: 0, images: V * N }];
  const size = view.G * view.O * view.C * view.K;
  return Array.from({ length: V }, (_, v) => ({
    weight: weightPerColumn ? v * size : 0,
    from: xPerColumn ? v * N : 0,
    to: v * N,
    images: N,
  }));
}

/** W of a group as [O, C·K]; null where (c, k) is not one axis of it. */
function weightMatrix({ view: { C, K, strides } }: ConvolutionSpec, W: Place, group: number): Matrix | null {
  const merges = K === 1 || C === 1 || strides.c === K * strides.k;
  if (!merges) return null;
  return { data: W.data, at: W.at + group * strides.g, row: strides.o, column: K === 1 ? strides.c : strides.k };
}

/** W of a group as [O, C·K] in any view: as it lies, or rearranged. */
function weightsOf(spec: ConvolutionSpec, W: Place, group: number): Matrix {
  const asItLies = weightMatrix(spec, W, group);
  if (asItLies) return asItLies;
  const { O, C, K, strides } = spec.view;
  const data = new Float64Array(O * C * K);
  let to = 0;
  for (let o = 0; o < O; o++)
    for (let c = 0; c < C; c++)
      for (let k = 0; k < K; k++)
        data[to++] = W.data[W.at + group * strides.g + o * strides.o + c * strides.c + k * strides.k] as number;
  return { data, at: 0, row: C * K, column: 1 };
}

const transposed = ({ data, at, row, column }: Matrix): Matrix => ({ data, at, row: column, column: row });

export const convolve: CpuKernel<'convolve'> = ({ bias, ...plain }, reads, writes) => {
  const [x, W, y] = [operand(reads, 0), operand(reads, 1), operand(writes, 0)];
  const { view, window } = plain;
  if (bias) spreadBias(plain, operand(reads, 2), y);
  const spec = { ...plain, accumulate: plain.accumulate || bias === true };
  if (isPointwise(window)) {
    pointwise(spec, x, W, y, view.C, view.O, (w) => w);
    return;
  }
  const { G, O, C, K } = view;
  const [S, T] = [sizeOf(window.input), sizeOf(window.output)];
  const unfolded = new Float64Array(C * K * POSITIONS);
  const product = new Float64Array(O * POSITIONS);
  for (const { weight, from, to, images } of sharesOf(spec))
    for (let g = 0; g < G; g++) {
      const w = weightsOf(spec, { data: W.data, at: W.at + weight }, g);
      for (const { pieces, columns } of tilesOf(images, T)) {
        for (const { sample, t0, t1, at } of pieces) {
          const image = x.at + ((from + sample) * G + g) * C * S;
          unfold(window, C, x.data, image, S, t0, t1, unfolded, at, columns);
        }
        const u = { data: unfolded, at: 0, row: columns, column: 1 };
        multiply(O, columns, C * K, w, u, { data: product, at: 0, row: columns, column: 1 }, 1, false);
        for (const { sample, t0, t1, at } of pieces)
          for (let o = 0; o < O; o++) {
            let target = y.at + (((to + sample) * G + g) * O + o) * T + t0;
            let source = o * columns + at;
            for (let t = t0; t < t1; t++, target++, source++) {
              const value = product[source] as number;
              y.data[target] = spec.accumulate ? (y.data[target] as number) + value : value;
            }
          }
      }
    }
};

/** `y[v,n,c,t] = bias[c]` */
function spreadBias({ V, N, view, window }: ConvolutionSpec, bias: Place, y: Place): void {
  const [channels, T] = [view.G * view.O, sizeOf(window.output)];
  for (let row = 0, at = y.at; row < V * N * channels; row++, at += T)
    y.data.fill(bias.data[bias.at + (row % channels)] as number, at, at + T);
}

export const convolveTransposed: CpuKernel<'convolveTransposed'> = (spec, reads, writes) => {
  const [y, W, x] = [operand(reads, 0), operand(reads, 1), operand(writes, 0)];
  const { view, window, V, N } = spec;
  if (isPointwise(window)) {
    pointwise(spec, y, W, x, view.O, view.C, transposed);
    return;
  }
  const { G, O, C, K } = view;
  const [S, T] = [sizeOf(window.input), sizeOf(window.output)];
  if (!spec.accumulate) x.data.fill(0, x.at, x.at + V * N * G * C * S);
  const columnsOfY = new Float64Array(O * POSITIONS);
  const product = new Float64Array(C * K * POSITIONS);
  for (const { weight, from, to, images } of sharesOf(spec))
    for (let g = 0; g < G; g++) {
      const w = transposed(weightsOf(spec, { data: W.data, at: W.at + weight }, g));
      for (const { pieces, columns } of tilesOf(images, T)) {
        for (const { sample, t0, t1, at } of pieces)
          for (let o = 0; o < O; o++) {
            let source = y.at + (((from + sample) * G + g) * O + o) * T + t0;
            let target = o * columns + at;
            for (let t = t0; t < t1; t++) columnsOfY[target++] = y.data[source++] as number;
          }
        const right = { data: columnsOfY, at: 0, row: columns, column: 1 };
        multiply(C * K, columns, O, w, right, { data: product, at: 0, row: columns, column: 1 }, 1, false);
        for (const { sample, t0, t1, at } of pieces)
          fold(window, C, product, at, columns, t0, t1, x.data, x.at + ((to + sample) * G + g) * C * S, S);
      }
    }
};

/** Nothing to unfold: `target [outputs, T] = w · source [inputs, T]` for each image, or for all images at once where T = 1. */
function pointwise(
  spec: ConvolutionSpec,
  source: Place,
  W: Place,
  target: Place,
  inputs: number,
  outputs: number,
  orient: (w: Matrix) => Matrix,
): void {
  const { G } = spec.view;
  const T = sizeOf(spec.window.output);
  for (const { weight, from, to, images } of sharesOf(spec))
    for (let g = 0; g < G; g++) {
      const w = orient(weightsOf(spec, { data: W.data, at: W.at + weight }, g));
      const image = (place: Place, n: number, channels: number): number => place.at + (n * G + g) * channels * T;
      if (T === 1) {
        const a = { data: source.data, at: image(source, from, inputs), row: G * inputs, column: 1 };
        const c = { data: target.data, at: image(target, to, outputs), row: G * outputs, column: 1 };
        multiply(images, outputs, inputs, a, transposed(w), c, 1, spec.accumulate);
      } else
        for (let n = 0; n < images; n++) {
          const b = { data: source.data, at: image(source, from + n, inputs), row: T, column: 1 };
          const c = { data: target.data, at: image(target, to + n, outputs), row: T, column: 1 };
          multiply(outputs, T, inputs, w, b, c, 1, spec.accumulate);
        }
    }
}
