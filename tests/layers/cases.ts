import {
  add,
  concat,
  type Layer,
  type Mode,
  mul,
  permute,
  reshape,
  type Shape,
  slice,
  type Value,
} from '@gradpack/core';
import {
  avgPool1d,
  avgPool2d,
  avgPool3d,
  batchNorm1d,
  batchNorm2d,
  batchNorm3d,
  conv1d,
  conv2d,
  conv3d,
  dropout,
  elu,
  embedding,
  flatten,
  identity,
  leakyRelu,
  linear,
  logSigmoid,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  relu,
  selu,
  sigmoid,
  silu,
  softplus,
  tanh,
  zeroPad2d,
} from '@gradpack/layers';
import { Tape } from '../../packages/core/src/module/tape.js';

export interface LayerCase {
  readonly name: string;
  readonly layer: Layer;
  readonly inputs: readonly Shape[];
  readonly mode?: Mode;
  /** Ids in [0, bound) in place of floats. */
  readonly bound?: number;
  /** A row of the weight that does not move. */
  readonly skip?: number;
}

const N = 3;
const image: Shape = [N, 4, 7, 6];
const on =
  (input: Shape) =>
  (name: string, layer: Layer): LayerCase => ({ name, layer, inputs: [input] });
const overImages = on(image);
const overSeries = on([N, 4, 9]);
const overVolumes = on([N, 2, 4, 5, 3]);

/** The layer that a value function puts on the tape. */
export function layerOf(call: (...values: Value[]) => Value, ...inputs: Shape[]): Layer {
  const tape = tapeOf();
  const value = call(...inputs.map((shape) => tape.leaf(shape, 'float')));
  return value.producer?.layer as Layer;
}
export function tapeOf(): Tape {
  return new Tape({ mode: 'eval', expands: () => false, nameOf: ({ kind }) => kind, requireName: () => {} });
}
const calling = (name: string, call: (...values: Value[]) => Value, ...inputs: Shape[]): LayerCase => ({
  name,
  layer: layerOf(call, ...inputs),
  inputs,
});

export const LAYER_CASES: readonly LayerCase[] = [
  on([N, 5])('linear', linear(5, 4)),
  on([N, 5])('linear without bias', linear(5, 2, { bias: false })),
  on([N, 2, 3, 5])('linear over middle axes', linear(5, 4)),
  on([N, 1])('linear 1 → 1', linear(1, 1)),

  overSeries('conv1d', conv1d(4, 2, 3)),
  overSeries("conv1d 'same', even kernel, dilation", conv1d(4, 3, 4, { padding: 'same', dilation: 2 })),
  overImages('conv2d', conv2d(4, 3, 3)),
  overImages(
    'conv2d with stride, padding, dilation',
    conv2d(4, 3, [2, 3], { stride: [2, 1], padding: [1, 2], dilation: [1, 2] }),
  ),
  overImages('conv2d in groups, without bias', conv2d(4, 6, 3, { groups: 2, bias: false, stride: 2 })),
  overImages('conv2d in groups', conv2d(4, 6, [3, 2], { groups: 2 })),
  overImages('conv2d depthwise', conv2d(4, 4, 2, { groups: 4, padding: 1 })),
  overImages("conv2d 'valid', 1 × 1", conv2d(4, 2, 1, { padding: 'valid' })),
  overImages('conv2d reflect', conv2d(4, 2, 3, { padding: 2, paddingMode: 'reflect' })),
  overImages("conv2d replicate 'same'", conv2d(4, 2, [4, 3], { padding: 'same', paddingMode: 'replicate' })),
  overImages('conv2d circular, strided', conv2d(4, 2, 3, { padding: [2, 3], stride: 2, paddingMode: 'circular' })),
  overVolumes('conv3d', conv3d(2, 3, [2, 3, 1], { stride: [1, 2, 1], padding: [1, 0, 1] })),

  overSeries('maxPool1d', maxPool1d(2)),
  overImages('maxPool2d', maxPool2d(2)),
  overImages('maxPool2d overlapping, padded, ceil', maxPool2d(3, 2, { padding: 1, ceilMode: true })),
  overImages('maxPool2d dilated', maxPool2d([2, 3], 1, { dilation: [3, 2] })),
  overVolumes('maxPool3d', maxPool3d(2, 1)),
  overSeries('avgPool1d', avgPool1d(3, 2)),
  overImages('avgPool2d', avgPool2d(2)),
  overImages('avgPool2d padded, ceil', avgPool2d(3, 2, { padding: 1, ceilMode: true })),
  overImages(
    'avgPool2d without counting the padding',
    avgPool2d([3, 2], [2, 1], { padding: [1, 1], countIncludePad: false, ceilMode: true }),
  ),
  overImages('avgPool2d divided by 5', avgPool2d(2, 2, { divisorOverride: 5 })),
  overVolumes('avgPool3d', avgPool3d([2, 2, 3], 1)),
  overImages('zeroPad2d', zeroPad2d([1, 2, 0, 3])),
  overImages('zeroPad2d on all sides', zeroPad2d(1)),

  ...[
    relu(),
    leakyRelu(0.2),
    sigmoid(),
    tanh(),
    logSigmoid(),
    elu(1.3),
    selu(),
    silu(),
    softplus(),
    softplus(2, 0.5),
  ].map((layer) => on([N, 2, 5])(layer.key ?? layer.kind, layer)),

  on([N, 2, 3])('identity', identity()),
  overImages('flatten', flatten()),
  overImages('flatten two axes', flatten(-2, -1)),
  overImages('dropout in evaluation', dropout(0.4)),
  { name: 'dropout in training', layer: dropout(0.4), inputs: [[N, 4, 5]], mode: 'train' },
  { name: 'dropout of everything', layer: dropout(1), inputs: [[N, 4]], mode: 'train' },
  { name: 'embedding', layer: embedding(6, 3), inputs: [[N, 4]], bound: 6 },
  { name: 'embedding of one id each', layer: embedding(6, 3), inputs: [[N]], bound: 6 },
  {
    name: 'embedding with padding',
    layer: embedding(4, 2, { paddingIdx: -3 }),
    inputs: [[N, 5, 2]],
    bound: 4,
    skip: 1,
  },

  on([N, 4])('batchNorm1d of [N, C]', batchNorm1d(4)),
  on([N, 4, 3])('batchNorm1d', batchNorm1d(4, { eps: 0.1 })),
  overImages('batchNorm2d', batchNorm2d(4)),
  overImages('batchNorm2d without affine', batchNorm2d(4, { affine: false })),
  overVolumes('batchNorm3d', batchNorm3d(2)),

  calling('add', (a, b) => add(a as Value, b as Value), [N, 2, 3], [N, 2, 3]),
  calling('mul of two values', (a, b) => mul(a as Value, b as Value), [N, 2, 3], [N, 2, 3]),
  calling('mul by a number', (a) => mul(a as Value, -1.5), [N, 2, 3]),
  calling('concat on axis 1', (...values) => concat(values, 1), [N, 2, 3], [N, 1, 3], [N, 4, 3]),
  calling('concat on the last axis', (...values) => concat(values, -1), [N, 2, 3], [N, 2, 1]),
  calling('reshape', (a) => reshape(a as Value, [N, 2, -1]), [N, 3, 4]),
  calling('reshape with the batch left open', (a) => reshape(a as Value, [-1, 6, 2]), [N, 3, 4]),
  calling('permute', (a) => permute(a as Value, [0, 2, -1, 1]), image),
  calling('slice', (a) => slice(a as Value, 2, 1, -1), image),
  calling('slice with a step', (a) => slice(a as Value, -1, -5, Number.POSITIVE_INFINITY, 2), image),
];
