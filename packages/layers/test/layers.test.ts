import type { Layer, Parameter } from '@gradpack/core';
import {
  avgPool2d,
  batchNorm2d,
  conv2d,
  dropout,
  elu,
  embedding,
  flatten,
  leakyRelu,
  linear,
  maxPool2d,
  relu,
  sequential,
  softplus,
  tanh,
  zeroPad2d,
} from '@gradpack/layers';
import { describe, expect, test } from 'vitest';

describe('names are those of PyTorch', () => {
  test('in nested sequentials, buffers included', async () => {
    const model = sequential(
      conv2d(1, 2, 3),
      sequential(batchNorm2d(2), relu()),
      flatten(),
      linear(2, 3, { bias: false }),
      embedding(3, 2),
    );
    expect(Object.keys(await model.stateDict())).toEqual([
      '0.weight',
      '0.bias',
      '1.0.weight',
      '1.0.bias',
      '1.0.running_mean',
      '1.0.running_var',
      '3.weight',
      '4.weight',
    ]);
  });

  test('a state dict of PyTorch loads with its batch counter', () => {
    const model = sequential(batchNorm2d(1, { affine: false }));
    const dict = { '0.running_mean': [1], '0.running_var': [2], '0.num_batches_tracked': 7 };
    expect(() => model.loadStateDict(dict)).not.toThrow();
  });
});

describe('initial numbers', () => {
  const numbersOf = async (layer: Layer & { readonly weight: Parameter }): Promise<readonly number[]> =>
    Array.from((await layer.initialize(3).weight.data()).data);

  test.each([
    ['linear', linear(100, 30), 0.1],
    ['conv2d', conv2d(8, 6, 5, { groups: 2 }), 0.1],
  ])('of %s fill (−bound, bound) evenly', async (_, layer, bound) => {
    const numbers = await numbersOf(layer);
    expect(Math.max(...numbers.map(Math.abs))).toBeLessThan(bound);
    expect(Math.max(...numbers)).toBeGreaterThan(0.95 * bound);
    expect(Math.min(...numbers)).toBeLessThan(-0.95 * bound);
    const { data } = await layer.bias.data();
    expect(Math.max(...Array.from(data, Math.abs))).toBeLessThan(bound);
  });

  test('of embedding are standard normal, the padding row 0', async () => {
    const numbers = await numbersOf(embedding(200, 10, { paddingIdx: -199 }));
    expect(numbers.slice(10, 20)).toEqual(new Array(10).fill(0));
    expect(numbers.reduce((sum, x) => sum + x * x, 0) / 1990).toBeCloseTo(1, 1);
  });

  test('of batchNorm2d leave x as it is', async () => {
    const { weight, bias, runningMean, runningVar } = batchNorm2d(2).initialize(0);
    const data = await Promise.all([weight, bias, runningMean, runningVar].map((p) => p.data()));
    expect(data.map((x) => Array.from(x.data))).toEqual([
      [1, 1],
      [0, 0],
      [0, 0],
      [1, 1],
    ]);
    expect([weight, bias, runningMean, runningVar].map((p) => p.trainable)).toEqual([true, true, false, false]);
  });
});

describe('shared parameters', () => {
  test('stand under every name, and are one', async () => {
    const encoder = embedding(6, 3);
    const decoder = linear(3, 6, { weight: encoder.weight, bias: false });
    expect(decoder.weight).toBe(encoder.weight);
    expect(Object.keys(await sequential(encoder, decoder).stateDict())).toEqual(['0.weight', '1.weight']);
  });
  test('work for convolutions and biases', () => {
    const first = conv2d(2, 2, 3);
    const second = conv2d(2, 2, 3, { weight: first.weight, bias: first.bias });
    expect([second.weight, second.bias]).toEqual([first.weight, first.bias]);
  });
});

describe('keys', () => {
  test.each<readonly [string, () => Layer, () => Layer]>([
    ['maxPool2d', () => maxPool2d(2, 2), () => maxPool2d(2, 1)],
    ['avgPool2d', () => avgPool2d(2, 2), () => avgPool2d(2, 2, { countIncludePad: false })],
    ['zeroPad2d', () => zeroPad2d(1), () => zeroPad2d([1, 1, 1, 2])],
    ['flatten', () => flatten(), () => flatten(2)],
    ['dropout', () => dropout(0.5), () => dropout(0.25)],
    ['leakyRelu', () => leakyRelu(), () => leakyRelu(0.2)],
    ['elu', () => elu(), () => elu(2)],
    ['softplus', () => softplus(), () => softplus(1, 3)],
  ])('of %s tell options apart', (_, make, other) => {
    expect(make().key).toBe(make().key);
    expect(make().key).not.toBe(other().key);
  });

  test('equal options are equal however they are written', () => {
    expect(maxPool2d(2).key).toBe(maxPool2d([2, 2], 2, { padding: 0 }).key);
    expect(zeroPad2d(1).key).toBe(zeroPad2d([1, 1, 1, 1]).key);
  });
});

test('traits tell where curvature is', () => {
  expect([relu(), leakyRelu(), tanh(), elu(), softplus()].map((layer) => layer.traits('train').curvature)).toEqual([
    'none',
    'none',
    'elementwise',
    'elementwise',
    'elementwise',
  ]);
});

test('dropout is the identity in evaluation alone', () => {
  expect([dropout().traits('eval').sampleFree, dropout().traits('train').sampleFree]).toEqual([true, false]);
});
