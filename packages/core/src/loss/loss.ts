import type { Kernels, Stream } from '../backend/kernels.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import type { Range } from '../derivatives/range.js';
import type { Carry } from '../module/layer.js';
import type { Shape } from '../tensor/shape.js';
import { CORE, type CoreToken } from '../version.js';

/**
 * A loss of the net's output and a target: a sum over samples and positions, divided by `K` where it is reduced by the mean.
 * H_n is the Hessian of sample n's summed loss in the output; all factors below belong to `H_n / K`.
 */
export interface Loss<C extends Carry = Carry> {
  readonly kind: string;
  readonly carries: readonly C[];
  /** Tells plans apart: everything but the scale's magnitude. */
  readonly key: string;
  /** Multiplies value, gradient and Hessian; 1 when absent. */
  readonly scale?: number;
  /** What the target must look like for an output of this shape; throws GRADPACK-SHAPE where the output itself is wrong. */
  target(output: Shape): TargetSpec;
  /** Number of columns of the exact factor. `reduced`: C − 1 per position for cross-entropy; `full`: BackPACK's C. */
  columns(output: Shape, form: FactorForm): number;
  bind(output: TensorRef, target: TensorRef, k: Kernels): BoundLoss;
  readonly '~core': CoreToken;
}

/** Which factor of the loss Hessian: fewest columns, or BackPACK’s. */
export type FactorForm = 'reduced' | 'full';

/** What a loss wants its target to be. */
export interface TargetSpec {
  readonly dtype: 'float' | 'int32';
  readonly shape: Shape;
  /** int32: ids must be in [0, bound). */
  readonly bound?: number;
}

/** A loss at one output. What its methods share (a softmax) is made in `bind`, never lazily in the first of them. */
export interface BoundLoss {
  /** [] */
  value(): TensorRef;
  /** [1, N, ...output] */
  gradient(): TensorRef;
  /** S [to − from, N, ...output] with `Σ_v S_v S_vᵀ = H_n / K` over all columns. */
  exactFactor(form: FactorForm, range: Range): TensorRef;
  /** Columns whose outer products average to H_n / K: gradients at sampled labels, divided by √(samples · K) in place of K. */
  sampledFactor?(samples: number, draws: SampledDraws, range: Range): TensorRef;
  /** `H_n / K` times tangents [V, N, ...output]. */
  hessianProduct(tangents: TensorRef): TensorRef;
}

/** Where sampled labels come from: the step's randomness, or labels that were given (for reproduction). */
export type SampledDraws = { readonly stream: Stream } | { readonly labels: TensorRef };

/** Completes a loss. */
export function loss<L extends Loss>(definition: Omit<L, '~core'>): L {
  return { ...definition, '~core': CORE } as L;
}
