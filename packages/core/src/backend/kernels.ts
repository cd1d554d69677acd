import type { Factor } from '../derivatives/factor.js';
import type { Term } from '../derivatives/use.js';
import type { Dtype, Precision } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import type { Expression } from './expression.js';
import type { MatrixView } from './kernel-call.js';
import type { TensorRef } from './tensor-ref.js';
import type { Window } from './window.js';

/**
 * What a layer, a loss or a rule computes with. Every method appends to the program that is being recorded and returns tensors
 * without numbers. Shapes broadcast as in NumPy (aligned at the last axis) where an expression is evaluated. With `into` a result
 * is added to a tensor that the caller made itself; columns and inputs are never written to. Views, copies and chains of maps cost
 * little: what can be one kernel call becomes one, and a product into a broadcast bias begins from the bias.
 */
export interface Kernels {
  readonly precision: Precision;

  /** A tensor filled with one number. */
  full(shape: Shape, value: number, dtype?: Dtype): TensorRef;
  /** Numbers that are part of the program: int32 from an Int32Array, else floats. */
  constant(data: ArrayLike<number>, shape: Shape): TensorRef;
  /** The same numbers in another shape of equal size. No copy. */
  reshape(x: TensorRef, shape: Shape): TensorRef;
  /** Entries [from, to) of axis 0. No copy. */
  rows(x: TensorRef, from: number, to: number): TensorRef;

  /** `expression(inputs)` for every entry of `shape` (by default the inputs' common shape, with `into` its shape). `coordinate(axis)` counts along it. */
  map(
    expression: Expression,
    inputs: readonly TensorRef[],
    options?: { readonly shape?: Shape; readonly into?: TensorRef },
  ): TensorRef;
  /** Sum or maximum of `expression(inputs)` over `axes` of `shape`; the other axes stay, in order. */
  reduce(
    operation: 'sum' | 'max',
    expression: Expression,
    inputs: readonly TensorRef[],
    axes: readonly number[],
    options?: { readonly shape?: Shape; readonly scale?: number },
  ): TensorRef;
  /** A contiguous tensor of `shape` read from `x` at `offset + Σ iₐ strides[a]`. Any dtype. */
  gatherStrided(x: TensorRef, shape: Shape, strides: Shape, offset?: number): TensorRef;
  /** Adds `x` to (or writes it into) `target` at `offset + Σ iₐ strides[a]`, i over x's shape. */
  scatterStrided(x: TensorRef, target: TensorRef, strides: Shape, offset: number, accumulate: boolean): void;
  permute(x: TensorRef, axes: readonly number[]): TensorRef;
  concat(xs: readonly TensorRef[], axis: number): TensorRef;

  /** `C[b,m,n] = alpha Σ_k A[b,m,k] B[b,k,n]` with strides in elements; C is contiguous [batch, M, N] and returned in `shape`. */
  gemm(a: TensorRef, b: TensorRef, spec: GemmSpec, shape: Shape, into?: TensorRef): TensorRef;
  /** `y[v,n,gO+o,t] = Σ_{c,k} W[g,o,c,k] x[v,n,gC+c,p(k,t)]` for x [V|1, N, G·C, ...], weights [V|1, ...θ]: [V, N, G·O, ...output]. */
  convolve(x: TensorRef, weight: TensorRef, view: MatrixView, window: Window, into?: TensorRef): TensorRef;
  /** The adjoint in x: from y [V|1, N, G·O, ...output] to [V, N, G·C, ...input]. */
  convolveTransposed(y: TensorRef, weight: TensorRef, view: MatrixView, window: Window, into?: TensorRef): TensorRef;

  /** Largest entry of each window over the last axes of x [..., ...input]: values and int32 positions, both [..., ...output]. */
  maxPool(x: TensorRef, window: Window): { readonly values: TensorRef; readonly index: TensorRef };
  /** Sum of each window divided by `divisors[t]`. */
  averagePool(x: TensorRef, window: Window, divisors: readonly number[]): TensorRef;
  averagePoolTransposed(y: TensorRef, window: Window, divisors: readonly number[]): TensorRef;
  /** `y[v,r,t] = x[v,r,index[r,t]]` for x [V, ...R, ...S] with `S` positions per row; the result has `shape`. */
  gather(x: TensorRef, index: TensorRef, S: number, shape: Shape): TensorRef;
  /** The adjoint: from y [V, ...R, ...T] to a tensor of `shape` [V, ...R, ...S]. */
  scatterAdd(y: TensorRef, index: TensorRef, S: number, shape: Shape): TensorRef;
  /** `y[v,j,:] = W[v,ids[j],:]` for W [V, words, H], ids int32 of any shape: [V, ...ids, H]; 0 where the id is `skip`. */
  gatherRows(weight: TensorRef, ids: TensorRef, skip?: number): TensorRef;

  /** Uniforms in (0, 1), [V, N, P], by Philox with absolute coordinates: the same numbers on every backend. */
  random(draws: Stream, firstColumn: number, shape: readonly [V: number, N: number, P: number]): TensorRef;
  /** int32 labels [M, N, P] drawn by `uniforms` [M, N, P] from probabilities [N, C, P]. */
  categorical(probabilities: TensorRef, uniforms: TensorRef): TensorRef;
  /** ids clamped to [0, bound); where that changes one, the step's flag is raised. */
  clampIndices(ids: TensorRef, bound: number): TensorRef;

  /** All reductions of `G[v,n]` = the sum of the terms, from one G per (v, n). */
  outer(terms: readonly Term[], requests: readonly Request[]): void;
  /** `scale Σ f fᵀ` over samples, columns and positions of all factors (`each`), or of positions summed first (`sum`): [G, F, F]. */
  gram(
    factors: readonly Factor[],
    positions: 'each' | 'sum',
    options?: { readonly scale?: number; readonly into?: TensorRef },
  ): TensorRef;
}

/** Extents and strides of a product of matrices; an absent batch stride is 0. */
export interface GemmSpec {
  readonly batch?: number;
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly a: { readonly b?: number; readonly m: number; readonly k: number };
  readonly b: { readonly b?: number; readonly k: number; readonly n: number };
  readonly alpha?: number;
}

/** Where uniforms come from: seed and step counter (int32 [2], bound per run) and a stream of their own. */
export interface Stream {
  readonly run: TensorRef;
  readonly stream: number;
}

/**
 * One reduction of G over its own range of columns, added into `into`: with the strides {v, n} of its rows (0 sums), see
 * `OuterRequest` in kernel-call.ts for the forms.
 */
export interface Request {
  readonly form: 'plain' | 'square' | 'norm' | 'cross' | 'centred';
  readonly from: number;
  readonly to: number;
  /** [to − from, N] */
  readonly weight?: TensorRef;
  readonly cross?: readonly Term[];
  /** int32 [count]: rows of the batch, repeats allowed. */
  readonly samples?: TensorRef;
  /** Written at its start plus v·strides.v + n·strides.n; must have been filled before where `accumulate`. */
  readonly into: TensorRef;
  readonly strides: { readonly v: number; readonly n: number };
  readonly accumulate: boolean;
}
