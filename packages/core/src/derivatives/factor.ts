import type { Kernels } from '../backend/kernels.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import type { Window } from '../backend/window.js';
import { sizeOf } from '../tensor/shape.js';
import type { Range } from './range.js';

/**
 * One operand of G as a view [V, N, G, F, T] that a backend reads without copying it: V columns, N samples, G groups, F features,
 * T positions. Feature-first (convolution) and feature-last (linear, recurrent) layouts differ only in strides; 0 broadcasts.
 */
export interface DenseFactor extends FactorExtents {
  readonly form: 'dense';
  readonly strides: {
    readonly v: number;
    readonly n: number;
    readonly g: number;
    readonly f: number;
    readonly t: number;
  };
}

/** F = C·K gathered by a window: entry (c·K + k, t) is x[v, n, g, c, p(k, t)] or 0; never written unfolded. */
export interface UnfoldedFactor extends FactorExtents {
  readonly form: 'unfolded';
  readonly strides: { readonly v: number; readonly n: number; readonly g: number; readonly c: number };
  readonly window: Window;
}

interface FactorExtents {
  readonly tensor: TensorRef;
  readonly V: number;
  readonly N: number;
  readonly G: number;
  readonly F: number;
  readonly T: number;
}

/** One operand of G: strided, or gathered by a window. */
export type Factor = DenseFactor | UnfoldedFactor;

/** Columns [V, N, ...positions, F]: features last. */
export function featuresLast(tensor: TensorRef, F: number): DenseFactor {
  const [V = 1, N = 1] = tensor.shape;
  const E = sizeOf(tensor.shape) / (V * N);
  const T = E / F;
  return { form: 'dense', tensor, V, N, G: 1, F, T, strides: { v: N * E, n: E, g: 0, f: 1, t: F } };
}

/** Columns [V, N, G·F, ...positions]: features first, in G groups. */
export function featuresFirst(tensor: TensorRef, F: number, G = 1): DenseFactor {
  const [V = 1, N = 1] = tensor.shape;
  const E = sizeOf(tensor.shape) / (V * N);
  const T = E / (G * F);
  return { form: 'dense', tensor, V, N, G, F, T, strides: { v: N * E, n: E, g: F * T, f: T, t: 1 } };
}

/** Columns [V, N, G·C, ...input positions] as a window reads them. */
export function unfolded(tensor: TensorRef, window: Window, G = 1): UnfoldedFactor {
  const [V = 1, N = 1, channels = 1] = tensor.shape;
  const S = sizeOf(window.input);
  const C = channels / G;
  const extents = { V, N, G, F: C * sizeOf(window.kernel), T: sizeOf(window.output) };
  return {
    form: 'unfolded',
    tensor,
    ...extents,
    strides: { v: N * channels * S, n: channels * S, g: C * S, c: S },
    window,
  };
}

/** Groups merged into the features: what a shift sees of a grouped factor. */
export function mergeGroups(factor: DenseFactor): DenseFactor {
  if (factor.G === 1) return factor;
  return { ...factor, G: 1, F: factor.G * factor.F, strides: { ...factor.strides, g: 0 } };
}

/** The factor of columns [from, to) alone. A factor with V = 1 that is broadcast stays as it is. */
export function columnsOf<F extends Factor>(factor: F, from: number, to: number): F {
  const clipped = { from: Math.min(from, factor.V), to: Math.min(to, factor.V) };
  return { ...factor, V: clipped.to - clipped.from, tensor: shifted(factor.tensor, clipped.from * factor.strides.v) };
}

/** Some columns and samples of a factor as a tensor [v, n, T, G·F]; v is 1 where one column stands for all. */
export function blockOf(
  factor: Factor,
  at: { readonly columns: Range; readonly samples: Range },
  k: Kernels,
): TensorRef {
  if (factor.form !== 'dense') throw new TypeError('the columns at a use of an own kind are dense');
  const { tensor, V, G, F, T, strides } = factor;
  const first = V === 1 ? 0 : at.columns.from;
  const v = V === 1 ? 1 : at.columns.to - first;
  const offset = first * strides.v + at.samples.from * strides.n;
  const n = at.samples.to - at.samples.from;
  const rowMajor = (T === 1 || strides.t === F) && strides.f === 1 && strides.n === T * F;
  if (G === 1 && rowMajor && (v === 1 || strides.v === n * strides.n))
    return { ...shifted(tensor, offset), shape: [v, n, T, F] };
  if (G === 1) return k.gatherStrided(tensor, [v, n, T, F], [strides.v, strides.n, strides.t, strides.f], offset);
  const block = k.gatherStrided(
    tensor,
    [v, n, T, G, F],
    [strides.v, strides.n, strides.t, strides.g, strides.f],
    offset,
  );
  return k.reshape(block, [v, n, T, G * F]);
}

/** The factor of samples [from, to) alone. */
export function samplesOf<F extends Factor>(factor: F, from: number, to: number): F {
  return { ...factor, N: to - from, tensor: shifted(factor.tensor, from * factor.strides.n) };
}

function shifted(tensor: TensorRef, elements: number): TensorRef {
  return { ...tensor, offset: tensor.offset + elements };
}
