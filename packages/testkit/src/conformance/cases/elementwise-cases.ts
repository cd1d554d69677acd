import { compileExpression, expression, stridesOf } from '@gradpack/core';
import { type ConformanceCase, recordCase } from '../conformance-case.js';
import type { Draw } from '../draw.js';

const { add, constant, coordinate, input, mul } = expression;
const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export function fillCases(draw: Draw): readonly ConformanceCase[] {
  return (
    [
      ['float64', 1, 0.5],
      ['float64', 1000, -0.25],
      ['int32', 7, -3],
      ['float64', 3, Number.NaN],
    ] as const
  ).map(([dtype, length, value]) => {
    const record = recordCase();
    record.call('fill', { length, value }, [], [record.output(draw.ids(length + 5, 9), dtype, 2)]);
    return record.finish(`fill: ${length} × ${dtype} ${value}`);
  });
}

interface CopyShape {
  readonly name: string;
  readonly shape: readonly number[];
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly source: number;
  readonly target: number;
  readonly sourceOffset?: number;
  readonly targetOffset?: number;
  readonly repeatedTarget?: boolean;
}

const COPIES: readonly CopyShape[] = [
  { name: 'one element', shape: [], from: [], to: [], source: 1, target: 1 },
  { name: 'extent 1', shape: [1, 1], from: [5, 3], to: [2, 7], source: 1, target: 1 },
  {
    name: 'contiguous',
    shape: [3, 4],
    from: [4, 1],
    to: [4, 1],
    source: 14,
    target: 13,
    sourceOffset: 2,
    targetOffset: 1,
  },
  { name: 'permuted', shape: [4, 3, 5], from: [1, 20, 4], to: [15, 5, 1], source: 60, target: 60 },
  { name: 'broadcast', shape: [3, 2, 4], from: [0, 1, 0], to: [8, 4, 1], source: 2, target: 24 },
  { name: 'flipped', shape: [2, 5], from: [5, -1], to: [5, 1], source: 10, target: 10, sourceOffset: 4 },
  { name: 'flipped target', shape: [2, 5], from: [5, 1], to: [-5, -1], source: 10, target: 10, targetOffset: 9 },
  { name: 'padded', shape: [2, 3, 3], from: [9, 3, 1], to: [25, 5, 1], source: 18, target: 50, targetOffset: 6 },
  { name: 'sliced with steps', shape: [2, 3], from: [12, -2], to: [3, 1], source: 24, target: 6, sourceOffset: 5 },
  { name: 'long', shape: [70, 3, 40], from: [1, 2800, 70], to: [120, 40, 1], source: 8400, target: 8400 },
  {
    name: '7 axes',
    shape: [2, 1, 3, 2, 1, 2, 2],
    from: [1, 9, 2, 6, 5, 12, 24],
    to: [24, 24, 8, 4, 4, 2, 1],
    source: 48,
    target: 48,
  },
];

export function copyCases(draw: Draw): readonly ConformanceCase[] {
  return COPIES.flatMap(({ name, shape, from, to, source, target, sourceOffset = 0, targetOffset = 0 }) =>
    (
      [
        ['float64', false],
        ['float64', true],
        ['int32', false],
      ] as const
    ).map(([dtype, accumulate]) => {
      const record = recordCase();
      const values = (length: number): ArrayLike<number> =>
        dtype === 'int32' ? draw.ids(length, 1000) : draw.values(length);
      record.call(
        'copy',
        { dtype, shape, from, to, accumulate },
        [record.input(values(source), dtype, sourceOffset)],
        [record.output(values(target), dtype, targetOffset)],
      );
      return record.finish(`copy: ${name}, ${dtype}${accumulate ? ', accumulated' : ''}`);
    }),
  );
}

interface LaneShape {
  readonly name: string;
  readonly shape: readonly number[];
  /** Strides of inputs 0 and 1. */
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly offsetA?: number;
}

const MAPS: readonly LaneShape[] = [
  { name: 'scalar', shape: [], a: [], b: [] },
  { name: 'contiguous', shape: [2, 3, 7], a: [21, 7, 1], b: [21, 7, 1] },
  { name: 'broadcast rows', shape: [5, 600], a: [600, 1], b: [0, 1] },
  { name: 'broadcast columns', shape: [4, 300], a: [300, 1], b: [1, 0] },
  { name: 'permuted', shape: [3, 4, 5], a: [20, 1, 4], b: [0, 5, 1] },
  { name: 'flipped', shape: [3, 6], a: [6, -1], b: [0, 0], offsetA: 5 },
  { name: 'extent 1', shape: [1, 1, 3, 1], a: [9, 9, 1, 9], b: [0, 0, 0, 0] },
  { name: 'long', shape: [3, 1111], a: [1111, 1], b: [1, 3] },
  { name: 'very long', shape: [150_000], a: [1], b: [0] },
];

const span = (shape: readonly number[], strides: readonly number[]): number =>
  1 + shape.reduce((sum, extent, a) => sum + (extent - 1) * Math.max(0, strides[a] as number), 0);

export function mapCases(draw: Draw): readonly ConformanceCase[] {
  return MAPS.flatMap(({ name, shape, a, b, offsetA = 0 }) =>
    [false, true].map((accumulate) => {
      const record = recordCase();
      const inputs = [
        record.input(draw.values(span(shape, a) + offsetA), 'float64', offsetA),
        record.input(draw.ids(span(shape, b), 9), 'int32'),
      ];
      const expressionOf = add(mul(input(0), input(1)), mul(input(0), 0.5));
      const spec = {
        shape,
        inputs: [
          { strides: a, dtype: 'float64' as const },
          { strides: b, dtype: 'int32' as const },
        ],
        to: stridesOf(shape),
        expression: compileExpression(expressionOf),
        accumulate,
      };
      record.call('map', spec, inputs, [record.output(draw.values(product(shape) + 2), 'float64', 1)]);
      return record.finish(`map: ${name}${accumulate ? ', accumulated' : ''}`);
    }),
  ).concat(mapsWithoutInputs(draw));
}

function mapsWithoutInputs(draw: Draw): readonly ConformanceCase[] {
  const coordinates = recordCase();
  const sum = add(add(mul(coordinate(0), 100), mul(coordinate(1), 10)), coordinate(2));
  coordinates.call(
    'map',
    { shape: [3, 4, 200], inputs: [], to: [800, 200, 1], expression: compileExpression(sum), accumulate: false },
    [],
    [coordinates.fresh(2400, 'result')],
  );
  const gaps = recordCase();
  gaps.call(
    'map',
    {
      shape: [4, 3],
      inputs: [{ strides: [3, 1], dtype: 'float64' }],
      to: [2, 8],
      expression: compileExpression(add(input(0), coordinate(1))),
      accumulate: true,
    },
    [gaps.input(draw.values(12))],
    [gaps.output(draw.values(24))],
  );
  const flipped = recordCase();
  flipped.call(
    'map',
    {
      shape: [4, 3],
      inputs: [{ strides: [3, 1], dtype: 'float64' }],
      to: [-3, -1],
      expression: compileExpression(mul(input(0), 2)),
      accumulate: false,
    },
    [flipped.input(draw.values(12))],
    [flipped.output(draw.values(12), 'float64', 11)],
  );
  const level = recordCase();
  level.call(
    'map',
    { shape: [2, 5], inputs: [], to: [5, 1], expression: compileExpression(constant(0.75)), accumulate: false },
    [],
    [level.output(draw.values(10))],
  );
  return [
    coordinates.finish('map: coordinates alone'),
    gaps.finish('map: scattered target'),
    flipped.finish('map: flipped target'),
    level.finish('map: a constant'),
  ];
}

interface ReduceShape {
  readonly name: string;
  readonly kept: readonly number[];
  readonly reduced: readonly number[];
  readonly a: readonly number[];
  readonly b: readonly number[];
}

const REDUCTIONS: readonly ReduceShape[] = [
  { name: 'everything', kept: [], reduced: [3, 50], a: [50, 1], b: [0, 1] },
  { name: 'nothing', kept: [3, 4], reduced: [], a: [4, 1], b: [1, 0] },
  { name: 'last axis', kept: [6], reduced: [17], a: [17, 1], b: [0, 1] },
  { name: 'first axis', kept: [9], reduced: [13], a: [1, 9], b: [1, 0] },
  { name: 'middle axes', kept: [3, 5], reduced: [4, 2], a: [40, 1, 10, 5], b: [0, 1, 5, 0] },
  { name: 'extent 1', kept: [1, 2], reduced: [1, 1], a: [9, 1, 7, 7], b: [0, 0, 0, 0] },
  { name: 'long rows', kept: [3], reduced: [5000], a: [5000, 1], b: [0, 0] },
  { name: 'long columns', kept: [700], reduced: [40], a: [1, 700], b: [1, 0] },
  { name: 'many rows', kept: [40, 30], reduced: [2, 3], a: [180, 6, 3, 1], b: [0, 0, 3, 1] },
];

export function reduceCases(draw: Draw): readonly ConformanceCase[] {
  return REDUCTIONS.flatMap(({ name, kept, reduced, a, b }) =>
    (
      [
        ['sum', false],
        ['sum', true],
        ['max', false],
      ] as const
    ).map(([operation, accumulate]) => {
      const record = recordCase();
      const shape = [...kept, ...reduced];
      const inputs = [
        record.input(draw.values(span(shape, a) + 3), 'float64', 3),
        record.input(draw.ids(span(shape, b), 5), 'int32'),
      ];
      const withCoordinate = shape.length > 0 ? mul(coordinate(shape.length - 1), 0.125) : constant(1);
      const spec = {
        kept,
        reduced,
        inputs: [
          { strides: a, dtype: 'float64' as const },
          { strides: b, dtype: 'int32' as const },
        ],
        operation,
        expression: compileExpression(add(mul(input(0), add(input(1), 1)), withCoordinate)),
        scale: operation === 'sum' ? 0.375 : 1,
        accumulate,
      };
      record.call('reduce', spec, inputs, [record.output(draw.values(product(kept) + 2), 'float64', 1)]);
      return record.finish(`reduce: ${operation} over ${name}${accumulate ? ', accumulated' : ''}`);
    }),
  ).concat(nonFiniteReductions());
}

function nonFiniteReductions(): readonly ConformanceCase[] {
  const rows = [
    [1, Number.NaN, 3],
    [Number.NaN, 1, 2],
    [1, 2, Number.NaN],
    [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
    [1, Number.POSITIVE_INFINITY, 2],
    [1, 2, 3],
  ];
  return (['sum', 'max'] as const).map((operation) => {
    const record = recordCase();
    const spec = {
      kept: [6],
      reduced: [3],
      inputs: [{ strides: [3, 1], dtype: 'float64' as const }],
      operation,
      expression: compileExpression(input(0)),
      scale: 1,
      accumulate: false,
    };
    record.call('reduce', spec, [record.input(rows.flat())], [record.fresh(6, 'result')]);
    return record.finish(`reduce: ${operation} of NaN and infinity`);
  });
}
