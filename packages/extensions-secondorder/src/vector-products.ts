import { type ProductFunction, type Quantity, type QuantityKind, quantity } from '@gradpack/core';

export type HessianVectorProduct = Quantity<'hessianVectorProduct', ProductFunction, string, 'product'>;
export type GGNVectorProduct = Quantity<'ggnVectorProduct', ProductFunction, string, 'product'>;

/**
 * A function that multiplies vectors with the Hessian of the loss, valid until the step is disposed (Pearlmutter 1994). Restricted to one
 * parameter on both sides it is BackPACK's `HMP`.
 *
 * @example
 * const { hvp } = await net.backward(x, y, { hvp: hessianVectorProduct() });
 * const product = await hvp({ '0.weight': v }, { of: ['0.weight'] });
 */
export const hessianVectorProduct: QuantityKind<HessianVectorProduct> = /* @__PURE__ */ quantity(
  'hessianVectorProduct',
  () => ({ by: 'product', mode: 'hessian' }),
);

/** The same with the generalised Gauss-Newton matrix (Schraudolph 2002), BackPACK's `GGNMP`. */
export const ggnVectorProduct: QuantityKind<GGNVectorProduct> = /* @__PURE__ */ quantity('ggnVectorProduct', () => ({
  by: 'product',
  mode: 'ggn',
}));
