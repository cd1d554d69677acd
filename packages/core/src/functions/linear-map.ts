import type { Kernels } from '../backend/kernels.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import { type Carry, type Layer, LINEAR_TRAITS, layer } from '../module/layer.js';
import type { Shape } from '../tensor/shape.js';
import { ALL_CARRIES } from './carries.js';

/** A layer without parameters that is linear in its one input and treats every sample alike. */
export interface LinearMap<Kind extends string> {
  readonly kind: Kind;
  /** Kind and options: layers with equal keys are interchangeable. */
  readonly key: string;
  readonly scalars?: readonly number[];
  /** Both shapes with the batch as axis 0. Throws GRADPACK-SHAPE. */
  outputShape(input: Shape): Shape;
  /** The map and its adjoint for inputs of this shape; called once per plan. */
  at(
    input: Shape,
    k: Kernels,
    scalars: readonly TensorRef[],
  ): {
    /** [V, N, ...input] → [V, N, ...output] for any V and N. */
    apply(x: TensorRef): TensorRef;
    /** [V, N, ...output] → [V, N, ...input] for any V and N. */
    adjoint(y: TensorRef): TensorRef;
  };
}

/**
 * The whole layer from a linear map and its adjoint.
 *
 * @example
 * const { input, mul } = expression;
 * export const double = (): Layer<'acme/double', never> =>
 *   linearMap({
 *     kind: 'acme/double',
 *     key: 'acme/double',
 *     outputShape: (shape) => shape,
 *     at: (_, k) => ({ apply: (x) => k.map(mul(2, input(0)), [x]), adjoint: (y) => k.map(mul(2, input(0)), [y]) }),
 *   });
 */
export function linearMap<Kind extends string>({
  kind,
  key,
  scalars,
  outputShape,
  at,
}: LinearMap<Kind>): Layer<Kind, never, Carry> {
  return layer<Layer<Kind, never, Carry>>({
    kind,
    key,
    ...(scalars && { scalars }),
    uses: [],
    carries: ALL_CARRIES,
    accepts: 'float',
    traits: () => LINEAR_TRAITS,
    outputShapes: (input: Shape) => [outputShape(input)],
    linearize(inputs, k, context) {
      const x = inputs[0] as TensorRef;
      const { apply, adjoint } = at(x.shape, k, context.scalars);
      return {
        outputs: [k.reshape(apply(k.reshape(x, [1, ...x.shape])), outputShape(x.shape))],
        uses: [],
        pull: ([columns], want) => ({ inputs: [columns && want.inputs[0] ? adjoint(columns) : undefined], terms: [] }),
        push: ([tangents]) => [tangents && apply(tangents)],
      };
    },
  });
}
