// Everything that training and looking into a model needs, by one import. No name means two things: where two packages share one,
// it is named again here.
export * from '@gradpack/backend-cpu';
export * from '@gradpack/backend-webgpu';
export type { Reduction } from '@gradpack/core';
export * from '@gradpack/core';
export * from '@gradpack/extensions-firstorder';
export * from '@gradpack/extensions-secondorder';
export * from '@gradpack/layers';
export {
  type CrossEntropyLoss,
  crossEntropyLoss,
  type LossOptions,
  type MSELoss,
  mseLoss,
  type Reduction as LossReduction,
  scaleLoss,
} from '@gradpack/losses';
export { type BackendOptions, backend, type ChosenBackend } from './backend.js';
export { type NativeBackend, type NativeOptions, native } from './native.js';
