export { elu, leakyRelu, logSigmoid, relu, selu, sigmoid, silu, softplus, tanh } from './activations.js';
export {
  type AvgPool,
  type AvgPool1d,
  type AvgPool2d,
  type AvgPool3d,
  type AvgPoolOptions,
  avgPool1d,
  avgPool2d,
  avgPool3d,
} from './avg-pool.js';
export {
  type BatchNorm,
  type BatchNorm1d,
  type BatchNorm2d,
  type BatchNorm3d,
  type BatchNormOptions,
  batchNorm1d,
  batchNorm2d,
  batchNorm3d,
} from './batch-norm.js';
export type { MatrixUses } from './bias.js';
export { type Conv, type Conv1d, type Conv2d, type Conv3d, type ConvOptions, conv1d, conv2d, conv3d } from './conv.js';
export { type Dropout, dropout } from './dropout.js';
export { type Elementwise, elementwise } from './elementwise.js';
export { type Embedding, type EmbeddingOptions, embedding } from './embedding.js';
export { type Flatten, flatten } from './flatten.js';
export { type Identity, identity } from './identity.js';
export { layers } from './layer-set.js';
export { type Linear, type LinearOptions, linear } from './linear.js';
export {
  type MaxPool,
  type MaxPool1d,
  type MaxPool2d,
  type MaxPool3d,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
  maxPool3d,
} from './max-pool.js';
export type { PerAxis } from './options.js';
export { Sequential, sequential } from './sequential.js';
export { type ZeroPad2d, zeroPad2d } from './zero-pad.js';
