export { type Differentiable, gradientByDifferences, hessianDiagonalByDifferences } from './central-differences.js';
export { evaluate } from './evaluate.js';
export type { KroneckerFactors } from './kronecker.js';
export { nearKink } from './near-kink.js';
export type { PerParameter } from './per-parameter.js';
export { ggnVectorProduct, hessianVectorProduct } from './products.js';
export { type Truth, type TruthOptions, type TruthQuantity, truth } from './truth.js';
