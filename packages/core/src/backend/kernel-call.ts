import type { Dtype } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import type { ExpressionProgram } from './expression.js';
import type { Window } from './window.js';

/**
 * The kernels that a program may contain, each defined by a formula. Letters: N samples, V columns, G groups, O/I rows and columns
 * of a matrix, C channels, K kernel offsets, T output positions, S input positions, R merged leading axes, θ a parameter.
 *
 * A call names its operands in `reads` and `writes`, in the order its comment gives; `spec` is plain data. Offsets and strides count
 * elements. Tensors are row-major and contiguous unless a stride says otherwise. Operands are of the backend's precision except
 * where a comment says int32. With `accumulate` the result is added to what is there, otherwise what is there is replaced.
 *
 * Promises: no call reads memory that it writes, apart from accumulating; two writes of a call never overlap; shapes have no zero
 * extent; every index (ids, labels, positions) is in range. Only on a backend whose limits say `mapsInPlace` may a `map` write over an
 * operand, by the same strides from the same offset: then element i of it is read before element i of the result is written.
 */
export type KernelCall = {
  [Name in keyof Kernel]: {
    readonly kernel: Name;
    readonly reads: readonly Operand[];
    readonly writes: readonly Operand[];
    readonly spec: Kernel[Name];
  };
}[keyof Kernel];

/** A place in a numbered buffer of the program. */
export interface Operand {
  readonly buffer: number;
  readonly offset: number;
}

/** Specification of each kernel by its name; the comments are their formulas. */
export interface Kernel {
  /** writes y (any dtype): `y[i] = value`, i < length. */
  readonly fill: { readonly length: number; readonly value: number };
  /** reads x, writes y (both of `dtype`): `y[Σ iₐ toₐ] (+)= x[Σ iₐ fromₐ]` over all indices i of `shape`. Strides may be 0 (read) or negative. */
  readonly copy: {
    readonly dtype: Dtype;
    readonly shape: Shape;
    readonly from: Shape;
    readonly to: Shape;
    readonly accumulate: boolean;
  };
  /** reads inputs, writes y: `y[Σ iₐ toₐ] (+)= expression(inputs at Σ iₐ strides[a], coordinates i)`. */
  readonly map: {
    readonly shape: Shape;
    readonly inputs: readonly Lane[];
    readonly to: Shape;
    readonly expression: ExpressionProgram;
    readonly accumulate: boolean;
  };
  /**
   * reads inputs, writes y [kept], contiguous: `y[i] (+)= scale · Σⱼ expression`, or the maximum over j (NaN wins, no scale), with i over `kept`
   * and j over `reduced`; strides and coordinates run over [...kept, ...reduced].
   */
  readonly reduce: {
    readonly kept: Shape;
    readonly reduced: Shape;
    readonly inputs: readonly Lane[];
    readonly operation: 'sum' | 'max';
    readonly expression: ExpressionProgram;
    readonly scale: number;
    readonly accumulate: boolean;
  };
  /**
   * reads A, B, writes C: `C[b,m,n] (+)= alpha · Σ_k A[b,m,k] B[b,k,n]`. With `bias` also reads a bias of M or N numbers:
   * `C[b,m,n] = bias[m] + …` or `bias[n] + …`, never with `accumulate`.
   */
  readonly gemm: {
    readonly batch: number;
    readonly M: number;
    readonly N: number;
    readonly K: number;
    readonly a: { readonly b: number; readonly m: number; readonly k: number };
    readonly b: { readonly b: number; readonly k: number; readonly n: number };
    readonly c: { readonly b: number; readonly m: number; readonly n: number };
    readonly alpha: number;
    readonly accumulate: boolean;
    readonly bias?: 'm' | 'n';
  };
  /**
   * reads x [V|1, N, G·C, S], W [V|1, *θ], writes y [V, N, G·O, T]:
   * `y[v,n,gO+o,t] (+)= Σ_{c,k} W[v][view(g,o,c,k)] x[v,n,gC+c,p(k,t)]`. `xPerColumn`, `weightPerColumn`: whether x, W have V.
   * With `bias` also reads a bias [G·O]: `y[v,n,gO+o,t] = bias[gO+o] + …`, never with `accumulate`.
   */
  readonly convolve: ConvolutionSpec;
  /** reads y [V|1, N, G·O, T], W [V|1, *θ], writes x [V, N, G·C, S]: the adjoint in x, `x[v,n,gC+c,p] (+)= Σ_{o, (k,t): p(k,t)=p} W y`. `xPerColumn` is then y's. */
  readonly convolveTransposed: ConvolutionSpec;
  /** reads x [rows, S], writes y [rows, T] and index (int32) [rows, T]: the largest entry of each window (first of equals, first NaN wins, outside is −∞) and its position in S. */
  readonly maxPool: { readonly rows: number; readonly window: Window };
  /** reads x [rows, S], writes y [rows, T]: `y[r,t] = Σ_k x[r,p(k,t)] / divisors[t]`. */
  readonly averagePool: { readonly rows: number; readonly window: Window; readonly divisors: readonly number[] };
  /** reads y [rows, T], writes x [rows, S]: the adjoint. */
  readonly averagePoolTransposed: {
    readonly rows: number;
    readonly window: Window;
    readonly divisors: readonly number[];
  };
  /** reads x [V, R, S], index (int32) [R, T], writes y [V, R, T]: `y[v,r,t] = x[v,r,index[r,t]]`. */
  readonly gather: IndexSpec;
  /** reads y [V, R, T], index (int32) [R, T], writes x [V, R, S]: `x[v,r,s] = Σ_{t: index[r,t]=s} y[v,r,t]`. */
  readonly scatterAdd: IndexSpec;
  /** reads W [V, words, H], ids (int32) [J], writes y [V, J, H]: `y[v,j,:] = W[v,ids[j],:]`, 0 where the id is `skip`. */
  readonly gatherRows: {
    readonly V: number;
    readonly J: number;
    readonly H: number;
    readonly words: number;
    readonly skip?: number;
  };
  /**
   * reads run (int32) [2] = seed, step counter; writes u [V, N, P]: uniforms in (0, 1). For column v = columns.from + i:
   * Philox4x32-10 with key (seed, step), counter (position ≫ 2, sample, v, stream), output word position & 3, `u = ((word ≫ 9) + ½) · 2⁻²³`.
   */
  readonly random: {
    readonly stream: number;
    readonly firstColumn: number;
    readonly V: number;
    readonly N: number;
    readonly P: number;
  };
  /** reads p [N, C, P], u [M, N, P], writes label (int32) [M, N, P]: the first class c with `Σ_{d≤c} p[n,d,q] > u[m,n,q] · Σ_d p[n,d,q]`, else C−1. */
  readonly categorical: { readonly M: number; readonly N: number; readonly C: number; readonly P: number };
  /** reads ids (int32), writes out (int32) and flag (int32) [1]: out is clamped to [0, bound); where it differs, `flag |= bit`. `flag` is accumulated into. */
  readonly clampIndices: { readonly length: number; readonly bound: number; readonly bit: number };
  /** reads x, writes flag (int32) [1]: `flag |= bit` where an entry is not finite. */
  readonly checkFinite: { readonly length: number; readonly bit: number };
  /** reads what terms and requests name, writes the requests' results: reductions of `G[v,n] = Σ_terms (∂y_n/∂θ)ᵀ a[v,n]`. See `OuterSpec`. */
  readonly outer: OuterSpec;
  /**
   * reads factors, writes B [G, F, F]: with `positions: 'each'` `B[g] (+)= scale · Σ_{factors} Σ_{v,n,t} f fᵀ`; with `'sum'`
   * `B[g] (+)= scale · Σ_{v,n} s sᵀ, s = Σ_{factors,t} f[v,n,g,:,t]`. v runs over `columns`; a factor is 0 beyond its own V (V = 1 is not broadcast here).
   */
  readonly gram: {
    readonly factors: readonly FactorSpec[];
    readonly positions: 'each' | 'sum';
    readonly from: number;
    readonly to: number;
    readonly scale: number;
    readonly accumulate: boolean;
  };
}

/** How an input of `map` or `reduce` is read: strides over the iterated shape, 0 where it is broadcast. int32 inputs are converted. */
export interface Lane {
  readonly strides: Shape;
  readonly dtype: Dtype;
}

/** Of `convolve` and `convolveTransposed`: V columns of N samples; `xPerColumn` and `weightPerColumn` say which operand has a V axis. */
export interface ConvolutionSpec {
  readonly V: number;
  readonly N: number;
  readonly xPerColumn: boolean;
  readonly weightPerColumn: boolean;
  readonly view: MatrixView;
  readonly window: Window;
  readonly accumulate: boolean;
  /** Of `convolve`: adds reads[2] [G·O], `y[v,n,gO+o,t] = bias[gO+o] + Σ …`; not together with `accumulate`. False when absent. */
  readonly bias?: boolean;
}

/** Of `gather` and `scatterAdd`: V columns, R rows, S input and T output positions. */
export interface IndexSpec {
  readonly V: number;
  readonly R: number;
  readonly S: number;
  readonly T: number;
}

/** Where entry (g, o, c, k) of a matrix parameter lies in θ (column i = c·K + k). Convolution {OCK, CK, K, 1}, transposed convolution {COK, K, OK, 1}, linear K = 1. */
export interface MatrixView {
  readonly G: number;
  readonly O: number;
  readonly C: number;
  readonly K: number;
  readonly strides: { readonly g: number; readonly o: number; readonly c: number; readonly k: number };
}

/**
 * A factor of G as a view [V, N, G, F, T] of operand `read`. Dense: by strides (0 broadcasts). Unfolded: `F = C·K` and entry
 * (c·K + k, t) is x[v, n, g, c, p(k,t)] or 0, with x by strides {v, n, g, c} and contiguous positions.
 */
export type FactorSpec =
  | {
      readonly form: 'dense';
      readonly read: number;
      readonly V: number;
      readonly N: number;
      readonly G: number;
      readonly F: number;
      readonly T: number;
      readonly strides: {
        readonly v: number;
        readonly n: number;
        readonly g: number;
        readonly f: number;
        readonly t: number;
      };
    }
  | {
      readonly form: 'unfolded';
      readonly read: number;
      readonly V: number;
      readonly N: number;
      readonly G: number;
      readonly F: number;
      readonly T: number;
      readonly strides: { readonly v: number; readonly n: number; readonly g: number; readonly c: number };
      readonly window: Window;
    };

/**
 * One summand of G[v,n], of `size` = |θ| entries. A term has max(a.V, u.V) columns, a factor with V = 1 beside a longer one is
 * broadcast; beyond its columns a term is 0.
 *
 * - matrix: `G[view(g,o,c,k)] += Σ_t a[g,o,t] u[g,cK+k,t]`
 * - shift:  `G[gF+f] += Σ_t a[g,f,t]`
 * - scale:  `G[f] += Σ_t a[f,t] u[f,t]` (G = 1)
 * - lookup: `G[rows[n,t]·F + f] += Σ_t a[f,t]`, rows (int32) [N, T], none where the row is `skip`
 * - given:  `G[i] += g[v·strides.v + n·strides.n + i]`
 */
export type OuterTerm =
  | { readonly kind: 'matrix'; readonly a: FactorSpec; readonly u: FactorSpec; readonly view: MatrixView }
  | { readonly kind: 'shift'; readonly a: FactorSpec }
  | { readonly kind: 'scale'; readonly a: FactorSpec; readonly u: FactorSpec }
  | { readonly kind: 'lookup'; readonly a: FactorSpec; readonly rows: number; readonly skip?: number }
  | {
      readonly kind: 'given';
      readonly read: number;
      readonly V: number;
      readonly strides: { readonly v: number; readonly n: number };
    };

/**
 * One reduction of G over the columns [from, to). With i the sample (or, with `samples`, the i-th listed sample) it adds to
 * `writes[into]` at `(v − from)·strides.v + i·strides.n` (a stride of 0 sums), for each entry e of θ at `+ e`, or at `+ 0` for `norm`:
 *
 * - plain `w G`, `square` `w G²`, `norm` `w Σ_e G²`; w = reads[weight] [to − from, N], or 1
 * - `cross`: `2 G ⊙ P`, P the sum of those terms at column v − from
 * - `centred` (one column, strides 0): the variance `(1/N) Σ_n (G − mean_n G)²`, over the listed rows where `samples`, never negative
 *
 * Without `accumulate` the result is replaced by the sum of this call.
 */
export interface OuterRequest {
  readonly form: 'plain' | 'square' | 'norm' | 'cross' | 'centred';
  readonly from: number;
  readonly to: number;
  readonly weight?: number;
  readonly cross?: readonly OuterTerm[];
  /** reads[list] (int32) [count]: rows, repeats allowed. */
  readonly samples?: { readonly list: number; readonly count: number };
  readonly into: number;
  readonly strides: { readonly v: number; readonly n: number };
  readonly accumulate: boolean;
}

/** Of `outer`: the terms of one parameter and all reductions of their G. */
export interface OuterSpec {
  readonly N: number;
  readonly size: number;
  readonly terms: readonly OuterTerm[];
  readonly requests: readonly OuterRequest[];
}
