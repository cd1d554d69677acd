export { type CrossEntropyLoss, crossEntropyLoss } from './cross-entropy.js';
export { type MSELoss, mseLoss } from './mse.js';
export type { LossOptions, Reduction } from './reduction.js';
export { scaleLoss } from './scale-loss.js';
