import { type Layer, type Mode, reshape, slice, type Value } from '@gradpack/core';
import {
  avgPool2d,
  dropout,
  elu,
  embedding,
  leakyRelu,
  logSigmoid,
  maxPool2d,
  relu,
  selu,
  sigmoid,
  silu,
  softplus,
  tanh,
} from '@gradpack/layers';
import { describe, expect, test } from 'vitest';
import { layerOf } from './cases.js';
import { floats, ints, type Numbers } from './numbers.js';
import { outputsOf, pull, type Subject, stateOf } from './subject.js';

const at = (layer: Layer, x: Numbers, mode: Mode = 'eval', state: readonly Numbers[] = []): Subject => ({
  layer,
  mode,
  inputs: [x],
  state: new Map(stateOf(layer).map((parameter, i) => [parameter, state[i] as Numbers])),
});
const row = (...values: number[]): Numbers => floats([1, values.length], values);
const ones = ({ shape }: Numbers): Numbers => ({
  shape: [1, ...shape],
  data: new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(1),
});
const outputOf = (subject: Subject): number[] => [...(outputsOf(subject)[0] as Numbers).data];
const slopeOf = (layer: Layer, x: Numbers): number[] => [...(pull(at(layer, x), [ones(x)]).inputs[0] as Numbers).data];

describe('activations', () => {
  test.each<readonly [string, Layer, number]>([
    ['relu', relu(), 0],
    ['leakyRelu', leakyRelu(0.2), 0.2],
    ['elu', elu(1.5), 1.5],
    ['selu', selu(), 1.7580993408473766],
    ['logSigmoid', logSigmoid(), 0.5],
    ['softplus', softplus(), 0.5],
    ['silu', silu(), 0.5],
  ])('%s has the slope of PyTorch at 0', (_, layer, slope) => {
    expect(slopeOf(layer, row(0))[0]).toBeCloseTo(slope, 14);
  });

  test.each<readonly [string, Layer]>(
    [relu(), leakyRelu(), elu(), selu(), sigmoid(), tanh(), logSigmoid(), softplus(), silu()].map((layer) => [
      layer.kind,
      layer,
    ]),
  )('%s passes NaN on', (_, layer) => {
    expect(outputOf(at(layer, row(Number.NaN, 1)))[0]).toBeNaN();
  });

  test('relu', () => {
    expect(outputOf(at(relu(), row(-2, 0, 3)))).toEqual([0, 0, 3]);
    expect(slopeOf(relu(), row(-2, 0, 3))).toEqual([0, 0, 1]);
  });

  test('saturated ones neither overflow nor lose their slopes', () => {
    const x = row(-800, -40, 40, 800);
    expect(outputOf(at(logSigmoid(), x))).toEqual([-800, -40, -Math.exp(-40), 0]);
    expect(outputOf(at(elu(), x))).toEqual([-1, Math.expm1(-40), 40, 800]);
    expect(slopeOf(logSigmoid(), x).map((slope) => slope / Math.exp(-40))[2]).toBeCloseTo(1, 12);
    expect(slopeOf(sigmoid(), x).map((slope) => slope / Math.exp(-40))[2]).toBeCloseTo(1, 12);
    expect(slopeOf(elu(), x)).toEqual([0, Math.exp(-40), 1, 1]);
    expect(slopeOf(silu(), x).every(Number.isFinite)).toBe(true);
  });
});

describe('pooling', () => {
  const image = floats([1, 1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]);

  test('maxPool2d gives the cotangent to the first of equal entries, and passes NaN on', () => {
    const x = floats([1, 1, 2, 2], [5, 5, 5, 5]);
    expect([...(pull(at(maxPool2d(2), x), [floats([1, 1, 1, 1, 1], [7])]).inputs[0] as Numbers).data]).toEqual([
      7, 0, 0, 0,
    ]);
    expect(outputOf(at(maxPool2d(2), floats([1, 1, 2, 2], [5, Number.NaN, 9, 1])))[0]).toBeNaN();
  });
  test('maxPool2d never takes the padding', () => {
    expect(outputOf(at(maxPool2d(2, 2, { padding: 1 }), floats([1, 1, 2, 2], [-1, -2, -3, -4])))).toEqual([
      -1, -2, -3, -4,
    ]);
  });
  test('avgPool2d counts the padding or not', () => {
    expect(outputOf(at(avgPool2d(2, 2, { padding: 1 }), image))).toEqual([0.25, 1.25, 2.75, 7]);
    expect(outputOf(at(avgPool2d(2, 2, { padding: 1, countIncludePad: false }), image))).toEqual([1, 2.5, 5.5, 7]);
    expect(outputOf(at(avgPool2d(2, 2, { ceilMode: true }), image))).toEqual([3, 4.5, 7.5, 9]);
  });
});

describe('dropout', () => {
  const x = floats([4, 500], new Array(2000).fill(1));

  test('keeps a share of 1 − p in training, scaled by 1 / (1 − p)', () => {
    const y = outputOf(at(dropout(0.2), x, 'train'));
    expect(new Set(y)).toEqual(new Set([0, 1.25]));
    expect(y.filter((value) => value === 0).length / y.length).toBeCloseTo(0.2, 1);
  });
  test('drops different entries of each sample', () => {
    const y = outputOf(at(dropout(), x, 'train'));
    expect(y.slice(0, 500)).not.toEqual(y.slice(500, 1000));
  });
  test('is the same mask in pull, also where an input is 0', () => {
    const [zeros, allOnes] = [0, 1].map((value) => floats([1, 50], new Array(50).fill(value))) as [Numbers, Numbers];
    const onOnes = outputOf(at(dropout(), allOnes, 'train'));
    expect([...(pull(at(dropout(), zeros, 'train'), [ones(zeros)]).inputs[0] as Numbers).data]).toEqual(onOnes);
  });
  test('with p = 1 gives zeros, with p = 0 everything', () => {
    expect(outputOf(at(dropout(1), row(1, 2), 'train'))).toEqual([0, 0]);
    expect(outputOf(at(dropout(0), row(1, 2), 'train'))).toEqual([1, 2]);
  });
});

describe('embedding', () => {
  const weight = floats([3, 2], [1, 2, 3, 4, 5, 6]);

  test('reads the padding row, but does not train it', () => {
    const layer = embedding(3, 2, { paddingIdx: 1 });
    const subject = at(layer, ints([2, 2], [1, 0, 2, 1]), 'eval', [weight]);
    expect(outputOf(subject)).toEqual([3, 4, 1, 2, 5, 6, 3, 4]);
    const G = pull(subject, [ones(floats([2, 2, 2], []))]).parameters.get(layer.weight) as Numbers;
    expect([...G.data]).toEqual([1, 1, 0, 0, 1, 1]);
  });
  test('tells the engine how many rows there are, so that ids are checked or clamped before they come here', () => {
    expect(embedding(3, 2).idBound).toBe(3);
  });
});

describe('slice reads indices as Python does', () => {
  const x = floats([1, 5], [0, 1, 2, 3, 4]);
  test.each([
    [1, 3, 1, [1, 2]],
    [-2, 99, 1, [3, 4]],
    [-99, -3, 1, [0, 1]],
    [0, Number.POSITIVE_INFINITY, 2, [0, 2, 4]],
    [1, 5, 3, [1, 4]],
  ])('%d:%d:%d', (start, stop, step, expected) => {
    expect(
      outputOf(
        at(
          layerOf((value) => slice(value as Value, -1, start, stop, step), [1, 5]),
          x,
        ),
      ),
    ).toEqual(expected);
  });
});

test('reshape keeps the order of the numbers', () => {
  const layer = layerOf((value) => reshape(value as Value, [-1, 3, 2]), [1, 6]);
  const [y] = outputsOf(at(layer, row(1, 2, 3, 4, 5, 6))) as readonly [Numbers];
  expect(y).toEqual(floats([1, 3, 2], [1, 2, 3, 4, 5, 6]));
});
