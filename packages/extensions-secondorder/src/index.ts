import { type QuantitySet, quantitySet } from '@gradpack/core';
import {
  type BatchDiagGGNExact,
  type BatchDiagGGNMC,
  batchDiagGGNExact,
  batchDiagGGNMC,
  type DiagGGNExact,
  type DiagGGNMC,
  diagGGNExact,
  diagGGNMC,
} from './diag-ggn.js';
import { type BatchDiagHessian, batchDiagHessian, type DiagHessian, diagHessian } from './diag-hessian.js';
import { type KFAC, type KFLR, kfac, kflr } from './kronecker.js';
import { type SqrtGGNExact, type SqrtGGNMC, sqrtGGNExact, sqrtGGNMC } from './sqrt-ggn.js';
import {
  type GGNVectorProduct,
  ggnVectorProduct,
  type HessianVectorProduct,
  hessianVectorProduct,
} from './vector-products.js';

export * from './diag-ggn.js';
export * from './diag-hessian.js';
export * from './kronecker.js';
export type { SamplingOptions } from './sampling-options.js';
export * from './sqrt-ggn.js';
export * from './vector-products.js';

export type SecondOrder =
  | BatchDiagGGNExact
  | BatchDiagGGNMC
  | BatchDiagHessian
  | DiagGGNExact
  | DiagGGNMC
  | DiagHessian
  | GGNVectorProduct
  | HessianVectorProduct
  | KFAC
  | KFLR
  | SqrtGGNExact
  | SqrtGGNMC;

/** What this package registers. */
export const secondOrder: QuantitySet<SecondOrder> = /* @__PURE__ */ quantitySet(
  diagGGNExact,
  diagGGNMC,
  batchDiagGGNExact,
  batchDiagGGNMC,
  sqrtGGNExact,
  sqrtGGNMC,
  kfac,
  kflr,
  diagHessian,
  batchDiagHessian,
  hessianVectorProduct,
  ggnVectorProduct,
);
