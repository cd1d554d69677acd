import { type QuantitySet, quantitySet } from '@gradpack/core';
import { type BatchGrad, batchGrad } from './batch-grad.js';
import { type BatchL2Grad, batchL2Grad } from './batch-l2-grad.js';
import { type SumGradSquared, sumGradSquared } from './sum-grad-squared.js';
import { type Variance, variance } from './variance.js';

export * from './batch-grad.js';
export * from './batch-l2-grad.js';
export * from './sum-grad-squared.js';
export * from './variance.js';

/** What this package registers. */
export const firstOrder: QuantitySet<BatchGrad | BatchL2Grad | SumGradSquared | Variance> = /* @__PURE__ */ quantitySet(
  batchGrad,
  batchL2Grad,
  sumGradSquared,
  variance,
);
