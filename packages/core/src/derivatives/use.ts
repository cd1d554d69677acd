import type { MatrixView } from '../backend/kernel-call.js';
import type { Kernels } from '../backend/kernels.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import type { Parameter } from '../module/parameter.js';
import type { Factor } from './factor.js';
import type { Range } from './range.js';

/**
 * How a parameter touched the data: static, known from `linearize` alone, before any column exists. Every use but a curved one is
 * linear in its parameter, and defines `G[v,n] = (∂y_n/∂θ)ᵀ a[v,n]`, of θ's shape, for the columns a that arrive at it.
 */
interface UseOf<Kind extends string> {
  readonly kind: Kind;
  readonly parameter: Parameter;
}

/** `y[n,g,o,t] += Σ_i W[g,o,i] u[n,g,i,t]`: linear, convolutions, recurrent layers. */
export interface MatrixUse extends UseOf<'matrix'> {
  /** [1, N, G, C·K, T]; [V, …] in what `pullTangent` returns. */
  readonly u: Factor;
  readonly view: MatrixView;
}

/** `y[n,c,t] += b[c]`: biases and shifts of normalisations. */
export interface ShiftUse extends UseOf<'shift'> {}

/** `y[n,c,t] += γ[c] x̂[n,c,t]`: gains of normalisations. */
export interface ScaleUse extends UseOf<'scale'> {
  /** [1, N, 1, C, T] */
  readonly u: Factor;
}

/** `y[n,t,:] += W[id[n,t],:]`: embeddings. */
export interface LookupUse extends UseOf<'lookup'> {
  /** int32 [N, T] */
  readonly rows: TensorRef;
  /** A row that is read but never trained (`paddingIdx`). */
  readonly skip?: number;
}

/** A third party's own kind, `scope/name`. */
export interface CustomUse<Kind extends `${string}/${string}` = `${string}/${string}`> extends UseOf<Kind> {
  /** True where ∂²y/∂θ² ≠ 0: Hessian quantities are then refused for this parameter. */
  readonly curved: boolean;
  /** In what `pullTangent` returns, where δ has one column: the number of columns V of the tangents. */
  readonly columns?: number;
  /**
   * G[v,n] for some of the columns and samples: from what arrived there, a [v, n, T, F] (v = 1 where one column meets all of u̇), to
   * [v, n, ...θ]. `at` says which columns and samples these are, to take the same rows of what the layer saved.
   */
  blockOf(a: TensorRef, at: { readonly columns: Range; readonly samples: Range }, k: Kernels): TensorRef;
}

/** The kinds that every quantity can be expected to know. */
export type CommonUse = MatrixUse | ShiftUse | ScaleUse | LookupUse;

/** How a parameter touched the data: one of the four common forms, or a third party’s own. */
export type Use = CommonUse | CustomUse;

/** What one pull delivers at a use: the columns [V, N, G, O|C, T] that arrive there. A tied parameter has several terms; G is their sum. */
export interface Term<U extends Use = Use> {
  readonly use: U;
  readonly a: Factor;
}

const COMMON: readonly string[] = ['matrix', 'shift', 'scale', 'lookup'] satisfies CommonUse['kind'][];

export function isCommonUse(use: Use): use is CommonUse {
  return COMMON.includes(use.kind);
}

/** Number of columns of a term; a factor with V = 1 beside a longer one is broadcast. */
export function columnsOfTerm({ use, a }: Term): number {
  if (!isCommonUse(use)) return Math.max(a.V, use.columns ?? 1);
  return 'u' in use ? Math.max(a.V, use.u.V) : a.V;
}
