import { type Carry, type Layer, linearMap } from '@gradpack/core';

export type Identity = Layer<'identity', never, Carry>;

/**
 * `y = x`, for any shape.
 *
 * @example
 * const model = sequential(linear(4, 4), useTanh ? tanh() : identity());
 */
export function identity(): Identity {
  return linearMap({
    kind: 'identity',
    key: 'identity',
    outputShape: (shape) => shape,
    at: () => ({ apply: (x) => x, adjoint: (y) => y }),
  });
}
