import type { PerParameter } from '../engine/per-parameter.js';
import type { Results } from '../engine/results.js';
import type { Parameter } from '../module/parameter.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * Multiplies vectors with curvature, until the step or one of its input tensors is disposed, or a parameter changes.
 *
 * @param vectors per parameter or name, or results of a step: [...θ], or [V, ...θ] for several at once; a missing one is zero
 * @param options `of`: the parameters whose rows are wanted; all trainable ones by default. With the same parameter on both sides
 *   this is that parameter's own block.
 * @throws GRADPACK-STALE-STEP, GRADPACK-DISPOSED, GRADPACK-SHAPE, GRADPACK-UNKNOWN-NAME
 */
export type ProductFunction = (
  vectors: PerParameter,
  options?: { readonly of?: readonly (Parameter | string)[] },
) => Promise<Results<Tensor>>;
