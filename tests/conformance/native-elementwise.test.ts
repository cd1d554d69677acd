import { isNativeAvailable, native } from '@gradpack/backend-native';
import { type Backend, compileExpression, type Expression, expression, type Window } from '@gradpack/core';
import { type ConformanceCase, recordCase, runCase, worstError } from '@gradpack/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const available = isNativeAvailable();
const { add, constant, coordinate, div, exp, input, less, max, mul, sub, where } = expression;
const { NaN: nan, NEGATIVE_INFINITY: low, POSITIVE_INFINITY: high } = Number;

/** Sizes around those of vectors, rows and runs, which the kernels of the native backend treat in different ways. */
describe.skipIf(available !== true)(`native, elementwise${available === true ? '' : `: ${available}`}`, () => {
  describe.each([
    { precision: 'float32', threads: 1, tolerance: 1e-5 },
    { precision: 'float64', threads: 2, tolerance: 1e-12 },
  ] as const)('$precision, $threads threads', ({ precision, threads, tolerance }) => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await native({ precision, threads });
    });
    afterAll(() => backend.dispose());

    it.each([...pools(), ...indices(), ...copies(), ...maps(), ...reductions()])('$name', async (elementwise) => {
      expect(worstError(await runCase(backend, elementwise))).toBeLessThan(tolerance);
    });
  });
});

/** Eighths in [−2, 2), so that equal numbers are frequent. */
const eighths = (length: number): Float64Array => Float64Array.from({ length }, (_, i) => (((i * 7919) % 32) - 16) / 8);
/** No two neighbours are equal. */
const values = (length: number): Float64Array => Float64Array.from({ length }, (_, i) => Math.fround(Math.sin(i + 1)));
const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const contiguous = (shape: readonly number[]): readonly number[] =>
  shape.map((_, axis) => product(shape.slice(axis + 1)));

function windowOf(
  input: readonly number[],
  kernel: number,
  stride: number,
  padding: number,
  more: Partial<Pick<Window, 'mode' | 'dilation'>> = {},
): Window {
  const same = (value: number): readonly number[] => input.map(() => value);
  const { mode = 'zeros', dilation = same(1) } = more;
  const output = input.map(
    (extent, axis) => Math.floor((extent + 2 * padding - (kernel - 1) * (dilation[axis] as number) - 1) / stride) + 1,
  );
  return {
    input,
    kernel: same(kernel),
    output,
    stride: same(stride),
    dilation,
    low: same(padding),
    transposed: false,
    mode,
  };
}

function pools(): readonly ConformanceCase[] {
  const windows: Readonly<Record<string, readonly [rows: number, window: Window]>> = {
    'overlapping, more planes than a vector has lanes': [35, windowOf([9, 7], 3, 2, 1)],
    'overlapping, fewer planes': [3, windowOf([6, 6], 3, 1, 1)],
    'one vector of planes': [16, windowOf([4, 4], 2, 2, 0)],
    'planes of several pieces': [17, windowOf([70, 60], 3, 2, 1)],
    'windows that reach across pieces': [2, windowOf([80, 80], 2, 1, 0, { dilation: [60, 1] })],
    'positions that are read twice': [18, windowOf([5, 5], 3, 1, 2, { mode: 'replicate' })],
    circular: [18, windowOf([40, 60], 3, 1, 1, { mode: 'circular' })],
    'windows outside': [20, { ...windowOf([3], 2, 2, 1), output: [5] }],
  };
  return Object.entries(windows).flatMap(([name, [rows, window]]) => {
    const [S, T] = [product(window.input), product(window.output)];
    const divisors = Array.from({ length: T }, (_, t) => 1 + (t % 5));
    const withNaN = eighths(rows * S).map((x, i) => (i % 101 === 3 ? nan : i % 103 === 5 ? low : x));
    const maxima = [eighths(rows * S), withNaN].map((x, i) => {
      const record = recordCase();
      const writes = [record.fresh(rows * T, 'kept'), record.fresh(rows * T, 'kept', 'int32')];
      record.call('maxPool', { rows, window }, [record.input(x)], writes);
      return record.finish(`maxPool: ${name}, ${i === 0 ? 'ties' : 'NaN and −∞'}`);
    });
    const averages = (['averagePool', 'averagePoolTransposed'] as const).map((kernel) => {
      const record = recordCase();
      const [from, to] = kernel === 'averagePool' ? [S, T] : [T, S];
      record.call(
        kernel,
        { rows, window, divisors },
        [record.input(values(rows * from))],
        [record.fresh(rows * to, 'kept')],
      );
      return record.finish(`${kernel}: ${name}`);
    });
    // an empty window has no position to name
    return [...(name === 'windows outside' ? [] : maxima), ...averages];
  });
}

function indices(): readonly ConformanceCase[] {
  const [V, R, S, T] = [3, 70, 41, 19];
  const index = Array.from({ length: R * T }, (_, i) => (i * 13) % S);
  return (['gather', 'scatterAdd'] as const).map((kernel) => {
    const record = recordCase();
    const [from, to] = kernel === 'gather' ? [S, T] : [T, S];
    record.call(
      kernel,
      { V, R, S, T },
      [record.input(values(V * R * from)), record.input(index, 'int32')],
      [record.fresh(V * R * to, 'kept')],
    );
    return record.finish(`${kernel}: several columns`);
  });
}

function copies(): readonly ConformanceCase[] {
  interface Copy {
    readonly name: string;
    readonly shape: readonly number[];
    readonly from: readonly number[];
    readonly to: readonly number[];
    /** Where x starts. */
    readonly offset?: number;
  }
  const rows = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 28, 32, 33, 48, 49, 64, 65, 128, 129, 300].map(
    (n): Copy => ({ name: `rows of ${n}`, shape: [9, 5, n], from: [5 * n, n, 1], to: [5 * (n + 1), n + 1, 1] }),
  );
  const transposed = [
    [3, 200],
    [200, 3],
    [16, 16],
    [17, 65],
    [131, 70],
  ].map(([a, b]): Copy => {
    const [m, n] = [a as number, b as number];
    return { name: `${m} × ${n} transposed`, shape: [2, m, n], from: [m * n, 1, m], to: [m * n, n, 1] };
  });
  const others: readonly Copy[] = [
    { name: 'one number per row', shape: [7, 40, 19], from: [40, 1, 0], to: [760, 19, 1] },
    { name: 'one row per plane', shape: [7, 40, 19], from: [19, 0, 1], to: [760, 19, 1] },
    { name: 'one number', shape: [50, 41], from: [0, 0], to: [41, 1] },
    { name: 'backwards', shape: [31, 37], from: [37, -1], to: [37, 1], offset: 36 },
    { name: 'planes backwards', shape: [31, 37], from: [-37, 1], to: [37, 1], offset: 30 * 37 },
    { name: 'every second', shape: [11, 21], from: [42, 2], to: [21, 1] },
    { name: 'to every third', shape: [11, 21], from: [21, 1], to: [63, 3] },
    { name: 'transposed to every second', shape: [19, 21], from: [1, 19], to: [42, 2] },
    { name: 'more than one plate', shape: [5, 20_000], from: [20_001, 1], to: [20_000, 1] },
  ];
  return [...rows, ...transposed, ...others].flatMap(({ name, shape, from, to, offset = 0 }) => {
    const span = (strides: readonly number[]): number =>
      1 + strides.reduce((sum, stride, axis) => sum + ((shape[axis] as number) - 1) * Math.max(0, stride), 0);
    return (
      [
        ['float64', false],
        ['float64', true],
        ['int32', false],
      ] as const
    ).map(([dtype, accumulate]) => {
      const record = recordCase();
      const numbers = (length: number): ArrayLike<number> =>
        dtype === 'int32' ? Array.from({ length }, (_, i) => i * 65_537) : values(length);
      record.call(
        'copy',
        { dtype, shape, from, to, accumulate },
        [record.input(numbers(span(from) + offset), dtype, offset)],
        [record.output(numbers(span(to) + 3), dtype, 1)],
      );
      return record.finish(`copy: ${name}, ${dtype}${accumulate ? ', accumulated' : ''}`);
    });
  });
}

function mapOf(
  name: string,
  e: Expression,
  shape: readonly number[],
  strides: readonly (readonly number[])[],
  { accumulate = false, to = contiguous(shape), data = values }: Partial<MapOptions> = {},
): ConformanceCase {
  const record = recordCase();
  const span = (own: readonly number[]): number =>
    1 + own.reduce((sum, s, axis) => sum + s * ((shape[axis] as number) - 1), 0);
  const spec = {
    shape,
    inputs: strides.map((own) => ({ strides: own, dtype: 'float64' as const })),
    to,
    expression: compileExpression(e),
    accumulate,
  };
  record.call(
    'map',
    spec,
    strides.map((own) => record.input(data(span(own)))),
    [record.output(values(span(to) + 1))],
  );
  return record.finish(`map: ${name}`);
}
interface MapOptions {
  readonly accumulate: boolean;
  readonly to: readonly number[];
  readonly data: (length: number) => Float64Array;
}

function maps(): readonly ConformanceCase[] {
  const [x, y] = [input(0), input(1)];
  const special = (length: number): Float64Array =>
    eighths(length).map((v, i) => [v, nan, low, high, 0, -0][i % 6] as number);
  const one = constant(0.625);
  const forms = expression.BINARY_OPS.flatMap((op) => [
    mapOf(`${op} with a number before`, { op, a: one, b: x }, [1030], [[1]], { data: special }),
    mapOf(`${op} with a number behind`, { op, a: x, b: one }, [1030], [[1]], { data: special }),
    mapOf(`${op} of numbers`, { op, a: { op, a: one, b: constant(2) }, b: x }, [40], [[1]]),
  ]);
  const condition = less(x, 0);
  const choices = [
    mapOf('where, number and row', where(condition, 1, x), [70], [[1]]),
    mapOf('where, row and number', where(condition, x, 1), [70], [[1]]),
    mapOf('where, numbers', where(condition, 2, 1), [70], [[1]]),
    mapOf(
      'where, the condition is one number',
      where(less(y, 0), add(x, 1), sub(x, 1)),
      [9, 70],
      [
        [70, 1],
        [0, 0],
      ],
    ),
    mapOf(
      'where, the condition is one number, that number comes through',
      where(less(y, 2), y, x),
      [9, 70],
      [
        [70, 1],
        [0, 0],
      ],
    ),
  ];
  const shapes: readonly (readonly number[])[] = [
    [700, 3],
    [50, 36],
    [9, 144],
    [3, 784],
    [4, 2100],
  ];
  const rows = shapes.flatMap(([m, n]) => {
    const [rows, columns] = [m as number, n as number];
    const shape = [2, rows, columns];
    const all = [rows * columns, columns, 1];
    return [
      mapOf(`scale and shift rows of ${n}`, add(mul(x, y), input(2)), shape, [all, [0, 1, 0], [0, 1, 0]]),
      mapOf(`scale columns of ${n}`, mul(x, y), shape, [all, [0, 0, 1]]),
      mapOf(`softmax of ${n}`, div(exp(sub(x, y)), add(2, input(2))), shape, [all, [rows, 1, 0], [rows, 1, 0]]),
      mapOf(`broadcast along ${n}`, x, shape, [[rows, 1, 0]]),
      mapOf(`broadcast along ${n}, accumulated`, x, shape, [[rows, 1, 0]], { accumulate: true }),
      mapOf(`numbers of rows of ${n}`, mul(x, 2), shape, [[rows, 1, 0]], { accumulate: true }),
      mapOf(`to padded rows of ${n}`, max(0, x), shape, [all], { to: [rows * (columns + 1), columns + 1, 1] }),
      mapOf(`transposed, ${n}`, add(x, 1), shape, [[rows * columns, 1, rows]]),
      mapOf(`coordinates in rows of ${n}`, add(mul(coordinate(1), 0.25), mul(x, coordinate(2))), shape, [all]),
    ];
  });
  const planes = [1, 3, 4, 6, 8, 12, 16, 17, 28, 33, 50, 70].map((n) => {
    const [inside, padded] = [
      [5 * n, n, 1],
      [7 * (n + 2), n + 2, 1],
    ];
    return mapOf(`padded planes of ${n}`, mul(x, y), [90, 5, n], [inside, padded], { to: [6 * (n + 1), n + 1, 1] });
  });
  const relu = [1, 15, 16, 17, 1023, 1024, 1025, 70_000].flatMap((n) => [
    mapOf(`relu of ${n}`, max(0, x), [n], [[1]]),
    mapOf(`relu's derivative of ${n}`, mul(where(less(0, y), 1, 0), x), [n], [[1], [1]]),
  ]);
  return [
    ...forms,
    ...choices,
    ...rows,
    ...planes,
    ...relu,
    mapOf('a number alone', constant(3), [5, 7], [], { to: [8, 1] }),
  ];
}

function reductions(): readonly ConformanceCase[] {
  interface Reduction {
    readonly name: string;
    readonly kept: readonly number[];
    readonly reduced: readonly number[];
    readonly strides: readonly number[];
  }
  const all: readonly Reduction[] = [
    ...[1, 2, 3, 10, 23, 24, 25, 63, 64, 65, 511, 513, 1500].map(
      (n): Reduction => ({ name: `rows of ${n}`, kept: [37], reduced: [n], strides: [n, 1] }),
    ),
    ...[2, 10, 63, 64, 65, 500, 520, 1030].map(
      (n): Reduction => ({ name: `columns, ${n} of 37`, kept: [n], reduced: [37], strides: [1, n] }),
    ),
    { name: 'columns, few of many', kept: [10], reduced: [9001], strides: [1, 10] },
    { name: 'channels', kept: [5], reduced: [7, 784], strides: [784, 5 * 784, 1] },
    { name: 'channels of short rows', kept: [50], reduced: [4, 36], strides: [36, 50 * 36, 1] },
    { name: 'middle axis, rows of 300', kept: [4, 300], reduced: [9], strides: [2700, 1, 300] },
    { name: 'middle axis, rows of 3', kept: [400, 3], reduced: [9], strides: [27, 1, 3] },
    { name: 'first and middle axis', kept: [4, 70], reduced: [3, 5], strides: [350, 1, 1400, 70] },
  ];
  return all.flatMap(({ name, kept, reduced, strides }) =>
    (
      [
        ['sum', 'an input'],
        ['sum', 'an expression'],
        ['max', 'an input'],
        ['max', 'NaN'],
      ] as const
    ).map(([operation, what]) => {
      const record = recordCase();
      const shape = [...kept, ...reduced];
      const x = values(product(shape));
      const spec = {
        kept,
        reduced,
        inputs: [{ strides, dtype: 'float64' as const }],
        operation,
        expression: compileExpression(what === 'an expression' ? add(mul(input(0), input(0)), 0.5) : input(0)),
        scale: operation === 'sum' ? 1 / product(reduced) : 1,
        accumulate: operation === 'sum',
      };
      const data = what === 'NaN' ? x.map((v, i) => (i % 997 === 5 ? nan : i % 7 === 0 ? low : v)) : x;
      record.call('reduce', spec, [record.input(data)], [record.output(values(product(kept) + 1))]);
      return record.finish(`reduce: ${operation} of ${what}, ${name}`);
    }),
  );
}
