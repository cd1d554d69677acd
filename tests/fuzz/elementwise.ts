import { compileExpression, type Expression, expression } from '@gradpack/core';
import { type ConformanceCase, type Draw, recordCase } from '@gradpack/testkit';
import { layoutOf, shapeOf, sizeOf, wholes } from './layouts.js';

export interface CaseOptions {
  /** With functions that round (`exp`, `div`), which two backends do not do alike. */
  readonly rounding: boolean;
}

const { abs, add, constant, coordinate, cos, div, equal, exp, floor, input, less, log } = expression;
const { expm1, log1p, max, min, mul, neg, sigmoid, sign, sin, sqrt, sub, tanh, where } = expression;

/** A tree whose values stay small; functions that jump or curve are only applied to leaves, which are whole numbers. */
function tree(draw: Draw, inputs: number, axes: number, depth: number, options: CaseOptions): Expression {
  const leaf = (): Expression => {
    const kind = draw.whole(0, 5);
    if (kind === 0) return constant(draw.whole(-3, 3));
    if (kind === 1 && axes > 0) return coordinate(draw.whole(0, axes - 1));
    return inputs > 0 ? input(draw.whole(0, inputs - 1)) : constant(2);
  };
  if (depth === 0) {
    const exact = [neg, abs, sign, floor];
    const curved = [exp, expm1, sigmoid, tanh, sin, cos, sqrt, log, (x: Expression) => log1p(abs(x))];
    const unary = draw.pick([(x: Expression) => x, ...exact, ...(options.rounding ? curved : [])]);
    return unary(leaf());
  }
  const branch = (): Expression => tree(draw, inputs, axes, depth - draw.whole(1, depth), options);
  switch (draw.whole(0, 8)) {
    case 0:
      return sub(branch(), branch());
    case 1:
      return max(branch(), branch());
    case 2:
      return min(branch(), branch());
    case 3:
      return mul(branch(), branch());
    case 4:
      return where(less(leaf(), leaf()), branch(), branch());
    case 5:
      return where(equal(leaf(), leaf()), branch(), branch());
    case 6:
      return options.rounding ? div(branch(), add(1, abs(leaf()))) : neg(branch());
    default:
      return add(branch(), branch());
  }
}

/** Some inputs are int32, all may be broadcast. */
function lanesOf(draw: Draw, record: ReturnType<typeof recordCase>, shape: readonly number[]) {
  return Array.from({ length: draw.whole(0, 4) }, () => {
    const { strides, offset, length } = layoutOf(draw, shape, { broadcast: true });
    const dtype = draw.whole(0, 4) === 0 ? ('int32' as const) : ('float64' as const);
    return { lane: { strides, dtype }, operand: record.input(wholes(draw, length, 3), dtype, offset) };
  });
}

export function fill(draw: Draw): ConformanceCase {
  const record = recordCase();
  const [length, offset] = [draw.whole(1, 70), draw.whole(0, 3)];
  const dtype = draw.pick(['float64', 'int32'] as const);
  const value = dtype === 'int32' ? draw.whole(-9, 9) : draw.pick([0, 1, -2.5, Number.NaN, Number.NEGATIVE_INFINITY]);
  record.call('fill', { length, value }, [], [record.output(wholes(draw, length + offset + 1), dtype, offset)]);
  return record.finish('fill');
}

export function copy(draw: Draw): ConformanceCase {
  const record = recordCase();
  const shape = shapeOf(draw, draw.whole(0, 5), draw.pick([3, 5, 17]));
  const dtype = draw.pick(['float64', 'int32'] as const);
  const [from, to] = [layoutOf(draw, shape, { broadcast: true }), layoutOf(draw, shape)];
  const accumulate = draw.whole(0, 1) === 1;
  record.call(
    'copy',
    { dtype, shape, from: from.strides, to: to.strides, accumulate },
    [record.input(wholes(draw, from.length), dtype, from.offset)],
    [record.output(wholes(draw, to.length), dtype, to.offset)],
  );
  return record.finish('copy');
}

export function map(draw: Draw, options: CaseOptions): ConformanceCase {
  const record = recordCase();
  const shape = shapeOf(draw, draw.whole(0, 4), draw.pick([2, 4, 19, 70]));
  if (sizeOf(shape) > 1e5) shape.splice(2);
  const lanes = lanesOf(draw, record, shape);
  const to = layoutOf(draw, shape);
  const formula = tree(draw, lanes.length, shape.length, draw.whole(0, 4), options);
  record.call(
    'map',
    {
      shape,
      inputs: lanes.map(({ lane }) => lane),
      to: to.strides,
      expression: compileExpression(formula),
      accumulate: draw.whole(0, 1) === 1,
    },
    lanes.map(({ operand }) => operand),
    [record.output(wholes(draw, to.length), 'float64', to.offset)],
  );
  return record.finish('map');
}

export function reduce(draw: Draw, options: CaseOptions): ConformanceCase {
  const record = recordCase();
  const kept = shapeOf(draw, draw.whole(0, 3), draw.pick([2, 5, 13]));
  const reduced = shapeOf(draw, draw.whole(0, 3), draw.pick([2, 5, 13]));
  const lanes = lanesOf(draw, record, [...kept, ...reduced]);
  const operation = draw.pick(['sum', 'max'] as const);
  const formula = tree(draw, lanes.length, kept.length + reduced.length, draw.whole(0, 2), options);
  const offset = draw.whole(0, 2);
  record.call(
    'reduce',
    {
      kept,
      reduced,
      inputs: lanes.map(({ lane }) => lane),
      operation,
      expression: compileExpression(formula),
      scale: operation === 'max' ? 1 : draw.pick([1, -0.5, 2]),
      accumulate: operation === 'sum' && draw.whole(0, 1) === 1,
    },
    lanes.map(({ operand }) => operand),
    [record.output(wholes(draw, sizeOf(kept) + offset + 1), 'float64', offset)],
  );
  return record.finish('reduce');
}
