import { type BinaryOp, compileExpression, type Expression, expression, type UnaryOp } from '@gradpack/core';
import { type ConformanceCase, recordCase } from '../conformance-case.js';
import type { Draw } from '../draw.js';

const {
  BINARY_OPS,
  UNARY_OPS,
  add,
  constant,
  coordinate,
  input,
  mul,
  sub,
  div,
  exp,
  log1p,
  less,
  where,
  max,
  neg,
  sigmoid,
  tanh,
  sqrt,
  abs,
} = expression;
const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

function mapOf(name: string, e: Expression, columns: readonly ArrayLike<number>[]): ConformanceCase {
  const record = recordCase();
  const length = columns[0]?.length ?? 0;
  const spec = {
    shape: [length],
    inputs: columns.map(() => ({ strides: [1], dtype: 'float64' as const })),
    to: [1],
    expression: compileExpression(e),
    accumulate: false,
  };
  record.call(
    'map',
    spec,
    columns.map((column) => record.input(column)),
    [record.fresh(length, 'result')],
  );
  return record.finish(name);
}

/** Where each function is compared: off its poles, and narrowly where cancellation would show. */
const DOMAINS: Readonly<Record<UnaryOp, readonly (readonly [low: number, high: number])[]>> = {
  neg: [[-3, 3]],
  abs: [[-3, 3]],
  sign: [[-3, 3]],
  sqrt: [
    [0, 4],
    [1e-6, 1e-5],
  ],
  exp: [
    [-4, 4],
    [-40, -38],
  ],
  expm1: [
    [-4, 4],
    [-1e-4, 1e-4],
    [-30, -20],
  ],
  log: [
    [0.01, 4],
    [1e10, 1e12],
  ],
  log1p: [
    [-0.9, 4],
    [-1e-4, 1e-4],
  ],
  sigmoid: [
    [-5, 5],
    [-75, -70],
    [200, 1000],
  ],
  tanh: [
    [-3, 3],
    [-1e-3, 1e-3],
    [50, 500],
  ],
  sin: [
    [-3, 3],
    [-20, 20],
  ],
  cos: [
    [-3, 3],
    [-20, 20],
  ],
  floor: [[-3, 3]],
};

/** Arguments whose value is NaN or infinite, or comes from an infinite argument; sign(NaN) and sin(∞) are left open. */
const SPECIAL: Readonly<Record<UnaryOp, readonly number[]>> = {
  neg: [nan, infinity, -infinity, 0],
  abs: [nan, infinity, -infinity, 0],
  sign: [infinity, -infinity, 0, -0],
  sqrt: [nan, infinity, -1, 0],
  exp: [nan, infinity, -infinity, 0],
  expm1: [nan, infinity, -infinity, 0],
  log: [nan, infinity, -1, 0],
  log1p: [nan, infinity, -2, -1, 0],
  sigmoid: [nan, infinity, -infinity, 1000, -1000, 0],
  tanh: [nan, infinity, -infinity, 1000, -1000, 0],
  sin: [nan, 0],
  cos: [nan, 0],
  floor: [nan, infinity, -infinity, 2, -2, 0],
};

export function expressionCases(draw: Draw): readonly ConformanceCase[] {
  const unary = UNARY_OPS.flatMap((op) => [
    ...DOMAINS[op].map(([low, high]) =>
      mapOf(`expression: ${op} on [${low}, ${high}]`, { op, x: input(0) }, [draw.values(301, low, high)]),
    ),
    mapOf(`expression: ${op} of special values`, { op, x: input(0) }, [SPECIAL[op]]),
  ]);
  const special = [nan, infinity, -infinity, 0, 1, -2];
  const pairs = special.flatMap((a) => special.map((b) => [a, b] as const));
  const binary = BINARY_OPS.flatMap((op: BinaryOp) => {
    const e: Expression = { op, a: input(0), b: input(1) };
    const divisor = op === 'div' ? draw.values(300, 0.5, 2) : draw.eighths(300);
    return [
      mapOf(`expression: ${op}`, e, [draw.eighths(300), divisor]),
      mapOf(`expression: ${op} of special values`, e, [pairs.map(([a]) => a), pairs.map(([, b]) => b)]),
    ];
  });
  return [...unary, ...binary, ...composed(draw)];
}

function composed(draw: Draw): readonly ConformanceCase[] {
  const x = input(0);
  const y = input(1);
  const softplus = add(max(x, 0), log1p(exp(neg(abs(x)))));
  const gates = add(mul(sigmoid(x), tanh(y)), mul(sigmoid(neg(x)), sub(1, mul(tanh(y), tanh(y)))));
  let tower: Expression = x;
  for (let i = 1; i <= 12; i++) tower = add(mul(tower, constant(0.5)), mul(y, add(coordinate(0), i * 0.25)));
  return [
    mapOf('expression: where takes a for any condition but 0', where(x, constant(1), constant(2)), [
      [0, -0, 1, -0.5, 1e-30, infinity],
    ]),
    mapOf('expression: where passes over NaN in the branch not taken', where(less(x, 0), constant(0), sqrt(x)), [
      [-1, 4, -9, 2.25, 0],
    ]),
    mapOf(
      'expression: a pole in the branch not taken',
      where({ op: 'equal', a: x, b: constant(0) }, constant(1), div(y, x)),
      [
        [0, 1, 2, 0],
        [1, 1, 1, 0],
      ],
    ),
    mapOf('expression: relu passes NaN on', where(less(x, 0), constant(0), x), [[nan, -1, 2, infinity, -infinity]]),
    mapOf('expression: softplus', softplus, [draw.values(257, -30, 30)]),
    mapOf('expression: gates', gates, [draw.values(513, -3, 3), draw.values(513, -3, 3)]),
    mapOf('expression: many registers', tower, [draw.values(700), draw.values(700, -0.01, 0.01)]),
    mapOf('expression: an input alone', x, [draw.values(300)]),
    mapOf('expression: the result is used before the end', sub(mul(add(x, y), add(x, y)), add(x, y)), [
      draw.values(300),
      draw.values(300),
    ]),
  ];
}
