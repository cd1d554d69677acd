import { isNativeAvailable, native } from '@gradpack/backend-native';
import { type Backend, type FactorSpec, type TypedArray, typedArrayOf, type Window } from '@gradpack/core';
import { programIn, recordCase, worstError } from '@gradpack/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

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
        const image = values(shape.N * shape.C * shape.side ** 2);
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
          unfold(image, shape, window),
        );
        expect(worstError([{ got: lazily, expected: beforehand }])).toBeLessThan(tolerance);
      });
    });
  },
);

/** Positive and negative, off centre: sums grow as those of activations do. */
function values(length: number): Float64Array {
  let state = 1;
  return Float64Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.fround(state / 2 ** 32 - 0.25);
  });
}

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

function unfold(
  image: Float64Array,
  { N, C, side, kernel, low }: Shape,
  { output: [rows = 1, columns = 1] }: Window,
): Float64Array {
  const at = (plane: number, y: number, x: number): number =>
    y < 0 || y >= side || x < 0 || x >= side ? 0 : (image[(plane * side + y) * side + x] as number);
  const unfolded: number[] = [];
  for (let plane = 0; plane < N * C; plane++)
    for (let offset = 0; offset < kernel ** 2; offset++)
      for (let t = 0; t < rows * columns; t++)
        unfolded.push(
          at(
            plane,
            Math.floor(offset / kernel) + Math.floor(t / columns) - low,
            (offset % kernel) + (t % columns) - low,
          ),
        );
  return Float64Array.from(unfolded);
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
  const program = programIn(record.finish('gram').program, backend.precision);
  const prepared = backend.prepare(program);
  const bound = [backend.allocate(backend.precision, data.length), backend.allocate(backend.precision, size)] as const;
  backend.write(bound[0], typedArrayOf(backend.precision, data));
  await backend.run(prepared, bound);
  const [result] = await backend.read([{ storage: bound[1], offset: 0, length: size }]);
  for (const storage of bound) backend.release(storage);
  prepared.dispose();
  return result as TypedArray;
}
