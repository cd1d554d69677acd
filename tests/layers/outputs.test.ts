import { elu, leakyRelu, logSigmoid, selu, silu, softplus } from '@gradpack/layers';
import { evaluate, type NetSpec, type SpecArray, type SpecNode } from '@gradpack/testkit';
import { describe, expect, test } from 'vitest';
import { LAYER_CASES, type LayerCase } from './cases.js';
import { difference, drawing, floats, type Numbers } from './numbers.js';
import { outputsOf, type Subject, stateOf } from './subject.js';

/** The same layers for the independent truth: operation and options. */
const OPERATIONS: Readonly<Record<string, { readonly op: SpecNode['op'] } & Readonly<Record<string, unknown>>>> = {
  linear: { op: 'linear' },
  'linear without bias': { op: 'linear' },
  'linear over middle axes': { op: 'linear' },
  'linear 1 → 1': { op: 'linear' },
  conv1d: { op: 'conv1d' },
  "conv1d 'same', even kernel, dilation": { op: 'conv1d', padding: 'same', dilation: 2 },
  conv2d: { op: 'conv2d' },
  'conv2d with stride, padding, dilation': { op: 'conv2d', stride: [2, 1], padding: [1, 2], dilation: [1, 2] },
  'conv2d in groups, without bias': { op: 'conv2d', groups: 2, stride: 2 },
  'conv2d in groups': { op: 'conv2d', groups: 2 },
  'conv2d depthwise': { op: 'conv2d', groups: 4, padding: 1 },
  "conv2d 'valid', 1 × 1": { op: 'conv2d', padding: 'valid' },
  'conv2d reflect': { op: 'conv2d', padding: 2, paddingMode: 'reflect' },
  "conv2d replicate 'same'": { op: 'conv2d', padding: 'same', paddingMode: 'replicate' },
  'conv2d circular, strided': { op: 'conv2d', padding: [2, 3], stride: 2, paddingMode: 'circular' },
  conv3d: { op: 'conv3d', stride: [1, 2, 1], padding: [1, 0, 1] },
  maxPool2d: { op: 'maxPool2d', kernelSize: 2 },
  'maxPool2d overlapping, padded, ceil': { op: 'maxPool2d', kernelSize: 3, stride: 2, padding: 1, ceilMode: true },
  'maxPool2d dilated': { op: 'maxPool2d', kernelSize: [2, 3], stride: 1, dilation: [3, 2] },
  avgPool2d: { op: 'avgPool2d', kernelSize: 2 },
  'avgPool2d padded, ceil': { op: 'avgPool2d', kernelSize: 3, stride: 2, padding: 1, ceilMode: true },
  'avgPool2d without counting the padding': {
    op: 'avgPool2d',
    kernelSize: [3, 2],
    stride: [2, 1],
    padding: 1,
    countIncludePad: false,
    ceilMode: true,
  },
  'avgPool2d divided by 5': { op: 'avgPool2d', kernelSize: 2, divisorOverride: 5 },
  zeroPad2d: { op: 'zeroPad2d', padding: [1, 2, 0, 3] },
  'zeroPad2d on all sides': { op: 'zeroPad2d', padding: [1, 1, 1, 1] },
  relu: { op: 'relu' },
  sigmoid: { op: 'sigmoid' },
  tanh: { op: 'tanh' },
  identity: { op: 'identity' },
  flatten: { op: 'flatten' },
  'dropout in evaluation': { op: 'dropout', p: 0.4 },
  embedding: { op: 'embedding' },
  'embedding of one id each': { op: 'embedding' },
  'embedding with padding': { op: 'embedding', paddingIdx: 1 },
  batchNorm2d: { op: 'batchNorm2d', eps: 1e-5 },
  add: { op: 'add' },
  'mul of two values': { op: 'mul' },
  'mul by a number': { op: 'scale', factor: -1.5 },
  'concat on axis 1': { op: 'concat', axis: 1 },
  'concat on the last axis': { op: 'concat', axis: 2 },
  reshape: { op: 'reshape', shape: [2, 6] },
  'reshape with the batch left open': { op: 'reshape', shape: [6, 2] },
  permute: { op: 'permute', axes: [0, 2, 3, 1] },
  slice: { op: 'slice', axis: 2, start: 1, stop: 6 },
  'slice with a step': { op: 'slice', axis: 3, start: 1, stop: 6, step: 2 },
};

function subjectOf({ layer, inputs, bound }: LayerCase): Subject {
  const draw = drawing(21);
  return {
    layer,
    mode: 'eval',
    inputs: inputs.map((shape) => (bound === undefined ? draw.floats(shape, -2, 2) : draw.ints(shape, bound))),
    state: new Map(stateOf(layer).map((parameter) => [parameter, draw.floats(parameter.shape, 0.2, 1.5)])),
  };
}

const plain = ({ shape, data }: Numbers): SpecArray => ({ shape, data: [...data] });

/** The output by the truth, which reads the layer's numbers by the names of its fields. */
function expected(subject: Subject, operation: object): Numbers {
  const { layer, inputs, state } = subject;
  const fields = Object.entries(layer).flatMap(([name, x]) => {
    const numbers = state.get(x as never);
    return numbers ? [[name, plain(numbers)] as const] : [];
  });
  const roles = fields.filter(([name]) => name === 'weight' || name === 'bias');
  const names = inputs.map((_, i) => `x${i}`);
  const [output = []] = layer.outputShapes(...inputs.map(({ shape }) => shape));
  const net: NetSpec = {
    inputs: Object.fromEntries(
      inputs.map((x, i) => [
        `x${i}`,
        { ...plain(x), dtype: x.data instanceof Int32Array ? 'int32' : 'float' } as const,
      ]),
    ),
    parameters: Object.fromEntries(roles.map(([name, x]) => [name, { ...x, trainable: true }])),
    nodes: [
      {
        ...operation,
        ...Object.fromEntries(fields),
        id: 'y',
        inputs: names,
        parameters: Object.fromEntries(roles.map(([name]) => [name, name])),
      } as unknown as SpecNode,
    ],
    output: 'y',
    loss: {
      kind: 'mse',
      reduction: 'sum',
      target: plain(floats(output, new Array(output.reduce((a, b) => a * b, 1)).fill(0))),
    },
  };
  const { shape, data } = evaluate(net).output;
  return floats(shape, data);
}

describe('the output is that of the independent truth', () => {
  test.each(Object.entries(OPERATIONS))('%s', (name, operation) => {
    const subject = subjectOf(LAYER_CASES.find((example) => example.name === name) as LayerCase);
    expect(difference(outputsOf(subject)[0], expected(subject, operation))).toBeLessThan(1e-13);
  });
});

describe('activations that the truth does not know', () => {
  test.each([
    ['leakyRelu', leakyRelu(0.2), (x: number) => (x > 0 ? x : 0.2 * x)],
    ['logSigmoid', logSigmoid(), (x: number) => -Math.log(1 + Math.exp(-x))],
    ['elu', elu(1.3), (x: number) => (x > 0 ? x : 1.3 * (Math.exp(x) - 1))],
    ['selu', selu(), (x: number) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (Math.exp(x) - 1))],
    ['silu', silu(), (x: number) => x / (1 + Math.exp(-x))],
    ['softplus', softplus(), (x: number) => Math.log(1 + Math.exp(x))],
    [
      'softplus beyond its threshold',
      softplus(2, 0.5),
      (x: number) => (2 * x > 0.5 ? x : Math.log(1 + Math.exp(2 * x)) / 2),
    ],
  ])('%s', (_, layer, f) => {
    const subject = subjectOf({ name: '', layer, inputs: [[3, 20]] });
    const [x] = subject.inputs as readonly [Numbers];
    expect(difference(outputsOf(subject)[0], floats(x.shape, Array.from(x.data, f)))).toBeLessThan(1e-14);
  });
});
