import {
  gradient,
  type Quantity,
  type QuantityKind,
  quantity,
  type RowOptions,
  rowsOf,
  type Tensor,
} from '@gradpack/core';

export type BatchGrad = Quantity<'batchGrad', Tensor, string, 'columns'>;

/**
 * Individual gradients: [N, ...θ]. Row n is the gradient of sample n's share of the loss, which carries 1/N for a mean, so that the
 * rows sum to the gradient (BackPACK's `BatchGrad`).
 *
 * @throws GRADPACK-OPTION for rows that are not whole numbers
 * @example
 * const step = await net.backward(x, y, { individual: batchGrad() });
 * step.individual.get('0.weight').shape; // [N, ...]
 */
export const batchGrad: QuantityKind<BatchGrad, [options?: RowOptions]> = /* @__PURE__ */ quantity(
  'batchGrad',
  (options: RowOptions = {}) => ({
    by: 'reduction',
    signal: gradient,
    reduce: { over: 'none', single: true, ...rowsOf(options, 'batchGrad') },
  }),
);
