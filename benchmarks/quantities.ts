/** What is computed together with the gradient, by BackPACK's names; `FirstOrderAll` is the four first-order quantities at once. */
export const QUANTITIES = [
  'gradient',
  'BatchGrad',
  'BatchL2Grad',
  'SumGradSquared',
  'Variance',
  'FirstOrderAll',
  'DiagGGNMC',
  'BatchDiagGGNMC',
  'SqrtGGNMC',
  'KFAC',
  'DiagGGNExact',
  'BatchDiagGGNExact',
  'SqrtGGNExact',
  'KFLR',
  'DiagHessian',
  'BatchDiagHessian',
  'GGNVectorProduct',
  'HessianVectorProduct',
] as const;

export type QuantityName = (typeof QUANTITIES)[number];
