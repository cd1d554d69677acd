import { gradient, type Quantity, type QuantityKind, quantity, type Tensor } from '@gradpack/core';

export type Variance = Quantity<'variance', Tensor, string, 'columns'>;

/**
 * Variance of the individual gradients over the batch, divided by N, entry by entry: [...θ] (BackPACK's `Variance`, but never
 * negative). The individual gradients are those of `batchGrad`, with 1/N for a mean.
 *
 * @example
 * const step = await net.backward(x, y, { noise: variance() });
 */
export const variance: QuantityKind<Variance> = /* @__PURE__ */ quantity('variance', () => ({
  by: 'reduction',
  signal: gradient,
  reduce: { over: 'all', centred: true },
}));
