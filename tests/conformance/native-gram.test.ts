import { isNativeAvailable, native } from '@gradpack/backend-native';
import type { Backend, FactorSpec, TypedArray, Window } from '@gradpack/core';
import { recordCase, worstError } from '@gradpack/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { offCentre, unfolded, writesOf } from '../support/recorded-run.js';

const available = isNativeAvailable();

interface Shape {
  readonly N: number;
  readonly C: number;
  readonly side: number;
  readonly kernel: number;
  readonly low: number;
}

describe.skipIf(available !== true)(
  `input factor of a convolution, native${available === true ? '' : `: ${available}`}`,
  () => {
    describe.each([
      { precision: 'float32', threads: 1, tolerance: 2e-6 },
      { precision: 'float32', threads: 2, tolerance: 2e-6 },
      { precision: 'float64', threads: 2, tolerance: 1e-14 },
    ] as const)('$precision, $threads threads', ({ precision, threads, tolerance }) => {
      let backend: Backend;
      beforeAll(async () => {
        backend = await native({ precision, threads });
      });
      afterAll(() => backend.dispose());

      it.each<Shape>([
        { N: 3, C: 40, side: 10, kernel: 3, low: 1 },
        { N: 2, C: 33, side: 12, kernel: 3, low: 0 },
        { N: 5, C: 70, side: 6, kernel: 3, low: 1 },
        { N: 2, C: 17, side: 9, kernel: 5, low: 2 },
        { N: 130, C: 8, side: 3, kernel: 2, low: 0 },
        { N: 2, C: 3, side: 50, kernel: 3, low: 1 },
        { N: 2, C: 7, side: 24, kernel: 5, low: 2 },
      ])('is the same unfolded lazily and beforehand: $C channels of $side², kernel $kernel', async (shape) => {
        const image = offCentre(shape.N * shape.C * shape.side ** 2);
        const window = windowOf(shape);
        const [F, T] = [shape.C * shape.kernel ** 2, window.output.reduce((a, b) => a * b)];
        const extents = { read: 0, V: 1, N: shape.N, G: 1, F, T };
        const S = shape.side ** 2;
        const lazily = await gramOf(
          backend,
          { form: 'unfolded', ...extents, strides: { v: 0, n: shape.C * S, g: 0, c: S }, window },
          image,
        );
        const beforehand = await gramOf(
          backend,
          { form: 'dense', ...extents, strides: { v: 0, n: F * T, g: 0, f: T, t: 1 } },
          unfolded(image, window),
        );
        expect(worstError([{ got: lazily, expected: beforehand }])).toBeLessThan(tolerance);
      });
    });
  },
);

function windowOf({ side, kernel, low }: Shape): Window {
  const output = side + 2 * low - kernel + 1;
  const both = (x: number): number[] => [x, x];
  return {
    input: both(side),
    kernel: both(kernel),
    output: both(output),
    stride: both(1),
    dilation: both(1),
    low: both(low),
    transposed: false,
    mode: 'zeros',
  };
}

async function gramOf(backend: Backend, factor: FactorSpec, data: Float64Array): Promise<TypedArray> {
  const record = recordCase();
  const size = factor.F ** 2;
  record.call(
    'gram',
    { factors: [factor], positions: 'each', from: 0, to: 1, scale: 1 / factor.N, accumulate: false },
    [record.input(data)],
    [record.fresh(size, 'result')],
  );
  const [result] = await writesOf(backend, record.finish('gram'));
  return result as TypedArray;
}
