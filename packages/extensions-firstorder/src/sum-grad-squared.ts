import { gradient, type Quantity, type QuantityKind, quantity, type Tensor } from '@gradpack/core';

export type SumGradSquared = Quantity<'sumGradSquared', Tensor, string, 'columns'>;

/**
 * Sum of the squared individual gradients, entry by entry: [...θ] (BackPACK's `SumGradSquared`). With a mean each gradient carries
 * 1/N, the sum hence 1/N². Individual gradients are never stored.
 *
 * @example
 * const step = await net.backward(x, y, { second: sumGradSquared() });
 */
export const sumGradSquared: QuantityKind<SumGradSquared> = /* @__PURE__ */ quantity('sumGradSquared', () => ({
  by: 'reduction',
  signal: gradient,
  reduce: { over: 'all', square: true },
}));
