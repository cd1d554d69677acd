import { compileExpression, type Expression, expression, type Lane } from '@gradpack/core';
import { type ConformanceCase, recordCase } from '../conformance-case.js';
import type { Draw } from '../draw.js';

const { abs, add, coordinate, exp, input, less, max, mul, sqrt, sub, UNARY_OPS, where } = expression;

interface InPlace {
  readonly shape: readonly number[];
  /** Of the operand that is written over and of the result. */
  readonly strides?: readonly number[];
  readonly offset?: number;
  readonly expression: Expression;
  /** Strides of the other inputs: floats, and int32 numbers. */
  readonly others?: readonly (readonly number[])[];
  readonly integers?: readonly number[];
}

/** A `map` whose result lies over its first operand, for backends whose limits say `mapsInPlace`. */
export function inPlaceCases(draw: Draw): readonly ConformanceCase[] {
  const make = (name: string, { shape, offset = 0, expression, ...given }: InPlace): ConformanceCase => {
    const record = recordCase();
    const contiguous = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    const { strides = contiguous, others = [], integers } = given;
    const reach = (own: readonly number[]): number =>
      1 + own.reduce((sum, stride, axis) => sum + stride * ((shape[axis] as number) - 1), 0);
    const length = offset + reach(strides);
    const [operand, result] = [record.scratch(length, 0), record.scratch(length, 0)];
    const whole = { dtype: 'float64', shape: [length], from: [1], to: [1], accumulate: false } as const;
    record.call('copy', whole, [record.input(draw.values(length))], [operand]);
    const inputs: Lane[] = [{ strides, dtype: 'float64' }];
    const reads = [{ ...operand, offset }];
    for (const own of others) {
      inputs.push({ strides: own, dtype: 'float64' });
      reads.push(record.input(draw.values(reach(own))));
    }
    if (integers) {
      inputs.push({ strides: integers, dtype: 'int32' });
      reads.push(record.input(draw.ids(reach(integers), 5), 'int32'));
    }
    const spec = { shape, inputs, to: strides, expression: compileExpression(expression), accumulate: false };
    record.call('map', spec, reads, [{ ...result, offset }]);
    const seen = record.fresh(
      shape.reduce((a, b) => a * b, 1),
      'result',
    );
    const written = { dtype: 'float64', shape, from: strides, to: contiguous, accumulate: false } as const;
    record.call('copy', written, [{ ...result, offset }], [seen]);
    return record.finish(`in place: ${name}`);
  };
  const [x, y, z] = [input(0), input(1), input(2)];
  const slope = where(less(0, y), x, 0);
  return [
    ...UNARY_OPS.map((op) =>
      make(op, { shape: [1003], expression: { op, x: op.startsWith('log') || op === 'sqrt' ? abs(x) : x } }),
    ),
    ...[1, 5, 17, 300_001].map((n) => make(`${n} elements`, { shape: [n], expression: slope, others: [[1]] })),
    make('a row for all columns', { shape: [7, 2049], expression: slope, others: [[0, 1]] }),
    make('one number a row', { shape: [300, 28], expression: mul(x, y), others: [[1, 0]] }),
    make('a transposed operand beside it', {
      shape: [37, 53],
      expression: add(x, mul(y, z)),
      others: [
        [1, 37],
        [0, 0],
      ],
    }),
    make('rows with gaps, at an offset', {
      shape: [90, 28],
      strides: [29, 1],
      offset: 5,
      expression: slope,
      others: [[28, 1]],
    }),
    make('columns with gaps', { shape: [5, 700], strides: [2100, 3], expression: sub(1, x) }),
    make('read twice', { shape: [4099], expression: sub(mul(x, x), exp(max(x, sqrt(abs(x))))) }),
    make('ids and coordinates', { shape: [40, 33], expression: add(mul(x, y), coordinate(1)), integers: [1, 0] }),
    make('as it is where a number says so', { shape: [2050], expression: where(less(1, 2), x, 0) }),
  ];
}
