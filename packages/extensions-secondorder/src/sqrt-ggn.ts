import {
  exactFactor,
  type Quantity,
  type QuantityKind,
  quantity,
  type RowOptions,
  rowsOf,
  sampledFactor,
  type Tensor,
} from '@gradpack/core';
import { type SamplingOptions, sampling } from './sampling-options.js';

export type SqrtGGNExact = Quantity<'sqrtGGNExact', Tensor, string, 'columns'>;
export type SqrtGGNMC = Quantity<'sqrtGGNMC', Tensor, string, 'columns'>;

/**
 * Square root of the whole Gauss-Newton matrix: [C, N, ...θ] for C classes (times positions), or features for MSE. With all
 * parameters side by side as V [C·N, |θ|], the matrix is `Vᵀ V`, off-diagonal blocks included (BackPACK's `SqrtGGNExact`).
 *
 * @example
 * const step = await net.backward(x, y, { root: sqrtGGNExact() });
 */
export const sqrtGGNExact: QuantityKind<SqrtGGNExact, [options?: RowOptions]> = /* @__PURE__ */ quantity(
  'sqrtGGNExact',
  (options: RowOptions = {}) => ({
    by: 'reduction',
    signal: exactFactor('full'),
    reduce: { over: 'none', ...rowsOf(options, 'sqrtGGNExact') },
  }),
);

/** The same from sampled labels: [M, N, ...θ] (BackPACK's `SqrtGGNMC`). */
export const sqrtGGNMC: QuantityKind<SqrtGGNMC, [options?: SamplingOptions & RowOptions]> = /* @__PURE__ */ quantity(
  'sqrtGGNMC',
  (options: SamplingOptions & RowOptions = {}) => ({
    by: 'reduction',
    signal: sampledFactor(sampling(options)),
    reduce: { over: 'none', ...rowsOf(options, 'sqrtGGNMC') },
  }),
);
