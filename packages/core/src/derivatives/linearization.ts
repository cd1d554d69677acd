import type { TensorRef } from '../backend/tensor-ref.js';
import type { Buffer } from '../module/buffer.js';
import type { Parameter } from '../module/parameter.js';
import type { Term, Use } from './use.js';

/** Absent means zero, or not wanted, and costs nothing. */
export type Maybe<T> = T | undefined;

/** Directions of parameters: [V, ...θ] each. A parameter that is missing does not move. */
export type Tangents = ReadonlyMap<Parameter, TensorRef>;

/** What of a pull is needed: by input, and by use in the order of `Linearization.uses`. */
export interface Want {
  readonly inputs: readonly boolean[];
  readonly uses: readonly boolean[];
}

/** `inputs[i]` may alias the columns that went in, or one another: nobody writes into columns in place. */
export interface Pulled<U extends Use = Use> {
  readonly inputs: readonly Maybe<TensorRef>[];
  readonly terms: readonly Term<U>[];
}

/**
 * A layer at one input. Recorded once per plan, pulled once per chunk of columns. What several calls share (an output, a slope) is made
 * in `linearize` itself, never lazily in the first of them: products are recorded as programs of their own, and what nobody needs is
 * dropped anyway.
 */
export interface Linearization<U extends Use = Use> {
  readonly outputs: readonly TensorRef[];
  /** How the parameters touched the data, with u saved once however many chunks are pulled. */
  readonly uses: readonly U[];
  /** New running statistics: committed once per step after it succeeded, never by products. */
  readonly updates?: ReadonlyMap<Buffer, TensorRef>;
  /** Jᵀ on columns [V, N, ...output], one entry per output, and what arrives at each use, from one walk. */
  pull(columns: readonly Maybe<TensorRef>[], want: Want): Pulled<U>;
  /** `J ẋ + (∂y/∂θ) θ̇` for tangents [V, N, ...input], one entry per input. Needed for products. */
  push?(tangents: readonly Maybe<TensorRef>[], parameters: Tangents): readonly Maybe<TensorRef>[];
  /**
   * `d/dε pull` at (x + εẋ, θ + εθ̇), the columns held at δ [1, N, ...output]: inputs (∂J)ᵀδ and terms (δ, u̇). Bilinear in δ and (ẋ, θ̇).
   * Needed for curvature and products by every layer that is not linear in its inputs and parameters jointly; absent: zero.
   */
  pullTangent?(
    gradient: readonly Maybe<TensorRef>[],
    tangents: readonly Maybe<TensorRef>[],
    parameters: Tangents,
    want: Want,
  ): Pulled<U>;
  /** Elementwise layers: `f″(x) ⊙ δ`, [1, N, ...input]. */
  residual?(gradient: TensorRef): TensorRef;
}
