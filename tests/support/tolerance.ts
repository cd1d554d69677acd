/** Of `max |a − b| / max |expected|`. */
export interface Tolerance {
  golden(quantity: string): number;
  truth(quantity: string): number;
}

/** Differences of almost equal numbers amplify the rounding of activations; how much, `conditioning.ts` measures for random nets. */
const DIFFERENCES: readonly string[] = [
  'gradient',
  'batchGrad',
  'variance',
  'diagHessian',
  'batchDiagHessian',
  'hessianVectorProduct',
  'ggnVectorProduct',
];

/** What a vector and its product cancel is chosen by the vector alone. */
const isProduct = (quantity: string): boolean => quantity.endsWith('VectorProduct');

export const FLOAT32: Tolerance = {
  golden: (quantity) => (isProduct(quantity) ? 5e-5 : 1e-5),
  truth: (quantity) => (DIFFERENCES.includes(quantity) ? 1e-4 : 1e-5),
};
