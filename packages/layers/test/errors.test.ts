import type { Kernels, Layer, LinearizeContext, Shape } from '@gradpack/core';
import {
  avgPool2d,
  batchNorm1d,
  batchNorm2d,
  conv1d,
  conv2d,
  dropout,
  embedding,
  flatten,
  linear,
  maxPool2d,
  zeroPad2d,
} from '@gradpack/layers';
import { describe, expect, test } from 'vitest';

const of =
  (layer: Layer, ...inputs: Shape[]) =>
  () =>
    layer.outputShapes(...inputs);

describe('a wrong shape', () => {
  test.each<readonly [string, () => unknown]>([
    ['linear: features', of(linear(5, 2), [3, 4])],
    ['linear: an image of the right size', of(linear(12, 2), [3, 3, 4])],
    ['linear: no batch', of(linear(5, 2), [5])],
    ['conv2d: channels', of(conv2d(3, 2, 3), [1, 4, 8, 8])],
    ['conv2d: no batch', of(conv2d(3, 2, 3), [3, 8, 8])],
    ['conv1d: too many axes', of(conv1d(3, 2, 3), [1, 3, 8, 8])],
    ['conv2d: kernel larger than the input', of(conv2d(3, 2, 3, { padding: [1, 0], dilation: 2 }), [1, 3, 2, 8])],
    ['conv2d: reflection beyond the input', of(conv2d(1, 1, 3, { padding: 2, paddingMode: 'reflect' }), [1, 1, 2, 4])],
    ['conv2d: more than one turn', of(conv2d(1, 1, 3, { padding: 3, paddingMode: 'circular' }), [1, 1, 2, 4])],
    ['maxPool2d: kernel larger than the input', of(maxPool2d(3), [1, 2, 2, 5])],
    ['maxPool2d: a window between the entries', of(maxPool2d(2, 1, { padding: 1, dilation: 3 }), [1, 1, 2, 2])],
    ['zeroPad2d: axes', of(zeroPad2d(1), [1, 2, 3])],
    ['flatten: axes', of(flatten(2, 3), [2, 3, 4])],
    ['batchNorm2d: channels', of(batchNorm2d(3), [1, 2, 4, 4])],
    ['batchNorm1d: channels', of(batchNorm1d(3), [1, 2])],
    ['embedding: no batch', of(embedding(3, 2), [])],
    ['linear: a shared weight', () => linear(5, 2, { weight: linear(2, 5).weight })],
    ['conv2d: a shared bias', () => conv2d(1, 2, 3, { bias: conv2d(1, 4, 3).bias })],
  ])('%s', (_, call) => {
    expect(call).toThrowErrorMatchingSnapshot();
  });
});

describe('an option that makes no sense', () => {
  test.each<readonly [string, () => unknown]>([
    ['linear: features', () => linear(0, 2)],
    ['conv2d: kernel', () => conv2d(1, 2, 0.5)],
    ['conv2d: number of strides', () => conv2d(1, 2, 3, { stride: [1, 1, 1] })],
    ['conv2d: groups', () => conv2d(3, 4, 3, { groups: 2 })],
    ["conv2d: 'same' with a stride", () => conv2d(3, 4, 3, { stride: 2, padding: 'same' })],
    ['conv2d: unknown padding', () => conv2d(3, 4, 3, { padding: 'full' as 'same' })],
    ['conv2d: unknown padding mode', () => conv2d(3, 4, 3, { paddingMode: 'constant' as 'zeros' })],
    ['maxPool2d: padding', () => maxPool2d(2, 2, { padding: 2 })],
    ['avgPool2d: divisor', () => avgPool2d(2, 2, { divisorOverride: 0 })],
    ['zeroPad2d: negative', () => zeroPad2d([1, 0, -1, 0])],
    ['flatten: the batch', () => flatten(0)],
    ['dropout: more than everything', () => dropout(1.5)],
    ['embedding: padding index', () => embedding(4, 2, { paddingIdx: 4 })],
    ['batchNorm2d: momentum', () => batchNorm2d(4, { momentum: 2 })],
    ['batchNorm2d: eps', () => batchNorm2d(4, { eps: Number.NaN })],
  ])('%s', (_, call) => {
    expect(call).toThrowErrorMatchingSnapshot();
  });
});

test('batch normalisation in training mode is refused', () => {
  const context = { mode: 'train' } as LinearizeContext;
  expect(() => batchNorm2d(4).linearize([], {} as Kernels, context)).toThrowErrorMatchingSnapshot();
});
