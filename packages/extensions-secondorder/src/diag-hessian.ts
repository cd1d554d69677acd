import { hessian, type Quantity, type QuantityKind, quantity, type Tensor } from '@gradpack/core';

export type DiagHessian = Quantity<'diagHessian', Tensor, string, 'curvature'>;
export type BatchDiagHessian = Quantity<'batchDiagHessian', Tensor, string, 'curvature'>;

/**
 * Exact diagonal of the Hessian of the loss: [...θ] (BackPACK's `DiagHessian`; Mizutani & Dreyfus 2008), also for branches and tied
 * weights. Equals `diagGGNExact` where no layer is curved; each curved layer adds a column per feature.
 *
 * @example
 * const step = await net.backward(x, y, { curvature: diagHessian() });
 */
export const diagHessian: QuantityKind<DiagHessian> = /* @__PURE__ */ quantity('diagHessian', () => ({
  by: 'reduction',
  signal: hessian,
  reduce: { over: 'all', square: true },
}));

/** Each sample's share of `diagHessian`: [N, ...θ]; the rows sum to it (BackPACK's `BatchDiagHessian`). */
export const batchDiagHessian: QuantityKind<BatchDiagHessian> = /* @__PURE__ */ quantity('batchDiagHessian', () => ({
  by: 'reduction',
  signal: hessian,
  reduce: { over: 'columns', square: true },
}));
