import { gradient, type Quantity, type QuantityKind, quantity, type Tensor } from '@gradpack/core';

export type BatchL2Grad = Quantity<'batchL2Grad', Tensor, string, 'columns'>;

/**
 * *Squared* norm of each individual gradient, per parameter: [N] (BackPACK's `BatchL2Grad`). Sum over the parameters for the squared
 * norm of the whole gradient of a sample. Individual gradients are never stored.
 *
 * @example
 * const step = await net.backward(x, y, { norms: batchL2Grad() });
 * step.norms.get('0.weight').shape; // [N]
 */
export const batchL2Grad: QuantityKind<BatchL2Grad> = /* @__PURE__ */ quantity('batchL2Grad', () => ({
  by: 'reduction',
  signal: gradient,
  reduce: { over: 'columns', norm: true },
}));
