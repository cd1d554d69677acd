import { add, concat, mul, permute, reshape, type Shape, slice, type Value } from '@gradpack/core';
import { expect, test } from 'vitest';
import { layerOf, tapeOf } from './cases.js';

const value = (...shape: number[]): Value => tapeOf().leaf(shape, 'float');
const two = (a: Shape, b: Shape): readonly [Value, Value] => {
  const tape = tapeOf();
  return [tape.leaf(a, 'float'), tape.leaf(b, 'float')];
};

test.each<readonly [string, () => unknown]>([
  ['add: other shapes', () => add(...two([2, 3], [2, 1]))],
  ['mul: other shapes', () => mul(...two([2, 3], [2, 3, 1]))],
  ['concat: nothing', () => concat([], 1)],
  ['concat: the batch', () => concat(two([2, 3], [2, 3]), 0)],
  ['concat: other extents', () => concat(two([2, 3, 4], [2, 2, 5]), 1)],
  ['reshape: another size', () => reshape(value(2, 6), [2, 4])],
  ['reshape: the batch', () => reshape(value(2, 6), [3, 4])],
  ['reshape: two open axes', () => reshape(value(2, 6), [-1, -1])],
  ['permute: the batch', () => permute(value(2, 3, 4), [1, 0, 2])],
  ['permute: an axis twice', () => permute(value(2, 3, 4), [0, 1, 1])],
  ['slice: the batch', () => slice(value(2, 6), 0, 0, 1)],
  ['slice: no such axis', () => slice(value(2, 6), 2, 0, 1)],
  ['slice: a step backwards', () => slice(value(2, 6), 1, 4, 0, -1)],
  ['slice: nothing', () => slice(value(2, 6), 1, 4, 2)],
])('%s', (_, call) => {
  expect(call).toThrowErrorMatchingSnapshot();
});

test('a number is bound to each run, and is no part of the plan', () => {
  const [double, triple] = [2, 3].map((factor) => layerOf((x) => mul(x as Value, factor), [1, 2]));
  expect([double?.key, double?.scalars, triple?.scalars]).toEqual([triple?.key, [2], [3]]);
});

test('keys tell options apart', () => {
  const keyOf = (call: (x: Value) => Value): string | undefined => layerOf((x) => call(x as Value), [2, 4, 4]).key;
  expect(keyOf((x) => slice(x, 1, 0, -1))).toBe(keyOf((x) => slice(x, -2, 0, 3)));
  expect(keyOf((x) => slice(x, 1, 0, 3))).not.toBe(keyOf((x) => slice(x, 2, 0, 3)));
  expect(keyOf((x) => reshape(x, [2, 16]))).toBe(keyOf((x) => reshape(x, [-1, 16])));
  expect(keyOf((x) => permute(x, [0, 1, 2]))).not.toBe(keyOf((x) => permute(x, [0, 2, 1])));
});
