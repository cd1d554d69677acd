import { exactFactor, type Quantity, type QuantityKind, quantity, sampledFactor, type Tensor } from '@gradpack/core';
import { type SamplingOptions, sampling } from './sampling-options.js';

export type DiagGGNExact = Quantity<'diagGGNExact', Tensor, string, 'columns'>;
export type DiagGGNMC = Quantity<'diagGGNMC', Tensor, string, 'columns'>;
export type BatchDiagGGNExact = Quantity<'batchDiagGGNExact', Tensor, string, 'columns'>;
export type BatchDiagGGNMC = Quantity<'batchDiagGGNMC', Tensor, string, 'columns'>;

/**
 * Diagonal of the generalised Gauss-Newton matrix `Σ_n J_nᵀ H_n J_n / K`: [...θ] (BackPACK's `DiagGGNExact`; Schraudolph 2002). Costs
 * C − 1 columns for C classes.
 *
 * @example
 * const step = await net.backward(x, y, { curvature: diagGGNExact() });
 */
export const diagGGNExact: QuantityKind<DiagGGNExact> = /* @__PURE__ */ quantity('diagGGNExact', () => ({
  by: 'reduction',
  signal: exactFactor(),
  reduce: { over: 'all', square: true },
}));

/** The same with H_n estimated from sampled labels: [...θ], unbiased (BackPACK's `DiagGGNMC`). Costs `samples` columns. */
export const diagGGNMC: QuantityKind<DiagGGNMC, [options?: SamplingOptions]> = /* @__PURE__ */ quantity(
  'diagGGNMC',
  (options: SamplingOptions = {}) => ({
    by: 'reduction',
    signal: sampledFactor(sampling(options)),
    reduce: { over: 'all', square: true },
  }),
);

/** Each sample's share of `diagGGNExact`: [N, ...θ]; the rows sum to it (BackPACK's `BatchDiagGGNExact`). */
export const batchDiagGGNExact: QuantityKind<BatchDiagGGNExact> = /* @__PURE__ */ quantity('batchDiagGGNExact', () => ({
  by: 'reduction',
  signal: exactFactor(),
  reduce: { over: 'columns', square: true },
}));

/** Each sample's share of `diagGGNMC`: [N, ...θ] (BackPACK's `BatchDiagGGNMC`). */
export const batchDiagGGNMC: QuantityKind<BatchDiagGGNMC, [options?: SamplingOptions]> = /* @__PURE__ */ quantity(
  'batchDiagGGNMC',
  (options: SamplingOptions = {}) => ({
    by: 'reduction',
    signal: sampledFactor(sampling(options)),
    reduce: { over: 'columns', square: true },
  }),
);
