import { expression, gradient, type Quantity, type QuantityKind, quantity, type Tensor } from '@gradpack/core';

const { input, mul } = expression;

export type ThirdMoment = Quantity<'acme/thirdMoment', Tensor, string, 'columns'>;

/** Raw third moment of the individual gradients, `Σ_n G[n]³`: [...θ]. */
export const thirdMoment: QuantityKind<ThirdMoment> = /* @__PURE__ */ quantity('acme/thirdMoment', () => ({
  by: 'individual',
  signal: gradient,
  combine: 'sum',
  compute: (G, k) => k.reduce('sum', mul(input(0), mul(input(0), input(0))), [G], [0, 1]),
}));
