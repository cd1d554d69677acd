import { type LayerSet, layerSet } from '@gradpack/core';
import { elu, leakyRelu, logSigmoid, relu, selu, sigmoid, silu, softplus, tanh } from './activations.js';
import { type AvgPool1d, type AvgPool2d, type AvgPool3d, avgPool1d, avgPool2d, avgPool3d } from './avg-pool.js';
import {
  type BatchNorm1d,
  type BatchNorm2d,
  type BatchNorm3d,
  batchNorm1d,
  batchNorm2d,
  batchNorm3d,
} from './batch-norm.js';
import { type Conv1d, type Conv2d, type Conv3d, conv1d, conv2d, conv3d } from './conv.js';
import { type Dropout, dropout } from './dropout.js';
import type { Elementwise } from './elementwise.js';
import { type Embedding, embedding } from './embedding.js';
import { type Flatten, flatten } from './flatten.js';
import { type Identity, identity } from './identity.js';
import { type Linear, linear } from './linear.js';
import { type MaxPool1d, type MaxPool2d, type MaxPool3d, maxPool1d, maxPool2d, maxPool3d } from './max-pool.js';
import { type ZeroPad2d, zeroPad2d } from './zero-pad.js';

type Activation = 'elu' | 'leakyRelu' | 'logSigmoid' | 'relu' | 'selu' | 'sigmoid' | 'silu' | 'softplus' | 'tanh';

/** What this package registers: an example of each kind. */
export const layers: LayerSet<
  | Linear
  | Conv1d
  | Conv2d
  | Conv3d
  | Embedding
  | BatchNorm1d
  | BatchNorm2d
  | BatchNorm3d
  | { [Kind in Activation]: Elementwise<Kind> }[Activation]
  | MaxPool1d
  | MaxPool2d
  | MaxPool3d
  | AvgPool1d
  | AvgPool2d
  | AvgPool3d
  | ZeroPad2d
  | Flatten
  | Identity
  | Dropout
> = /* @__PURE__ */ layerSet(
  /* @__PURE__ */ linear(1, 1),
  /* @__PURE__ */ conv1d(1, 1, 1),
  /* @__PURE__ */ conv2d(1, 1, 1),
  /* @__PURE__ */ conv3d(1, 1, 1),
  /* @__PURE__ */ embedding(1, 1),
  /* @__PURE__ */ batchNorm1d(1),
  /* @__PURE__ */ batchNorm2d(1),
  /* @__PURE__ */ batchNorm3d(1),
  /* @__PURE__ */ relu(),
  /* @__PURE__ */ leakyRelu(),
  /* @__PURE__ */ elu(),
  /* @__PURE__ */ selu(),
  /* @__PURE__ */ silu(),
  /* @__PURE__ */ softplus(),
  /* @__PURE__ */ sigmoid(),
  /* @__PURE__ */ logSigmoid(),
  /* @__PURE__ */ tanh(),
  /* @__PURE__ */ maxPool1d(1),
  /* @__PURE__ */ maxPool2d(1),
  /* @__PURE__ */ maxPool3d(1),
  /* @__PURE__ */ avgPool1d(1),
  /* @__PURE__ */ avgPool2d(1),
  /* @__PURE__ */ avgPool3d(1),
  /* @__PURE__ */ zeroPad2d(1),
  /* @__PURE__ */ flatten(),
  /* @__PURE__ */ identity(),
  /* @__PURE__ */ dropout(),
);
