import { describe, expect, test } from 'vitest';
import {
  abs,
  add,
  compileExpression,
  coordinate,
  cos,
  derivative,
  div,
  type Expression,
  equal,
  exp,
  expm1,
  floor,
  input,
  isZero,
  less,
  log,
  log1p,
  max,
  min,
  mul,
  neg,
  sigmoid,
  sign,
  sin,
  sqrt,
  sub,
  substitute,
  tanh,
  where,
} from '../src/backend/expression.js';
import { evaluate, execute } from './evaluate.js';

const x = input(0);
const y = input(1);
const functions: Readonly<Record<string, Expression>> = {
  neg: neg(x),
  abs: abs(x),
  sqrt: sqrt(x),
  exp: exp(x),
  expm1: expm1(x),
  log: log(x),
  log1p: log1p(x),
  sigmoid: sigmoid(x),
  tanh: tanh(x),
  sin: sin(x),
  cos: cos(x),
  'sign and floor': mul(sign(x), add(floor(x), x)),
  add: add(mul(x, x), y),
  sub: sub(y, mul(x, y)),
  mul: mul(mul(x, y), x),
  div: div(add(x, 1), mul(x, y)),
  max: max(x, mul(y, y)),
  min: min(x, mul(y, y)),
  where: where(less(x, y), mul(x, x), sin(x)),
  'a chain': log1p(exp(neg(mul(tanh(x), sqrt(add(y, 2)))))),
  silu: mul(x, sigmoid(x)),
};
const points = [
  [0.7, 0.3],
  [1.3, 1.9],
  [2.6, 0.4],
] as const;

describe('derivatives', () => {
  describe.each(Object.entries(functions))('%s', (_, f) => {
    test.each([0, 1])('by input %i, first and second', (index) => {
      const h = 1e-5;
      for (const point of points) {
        const moved = (by: number) => point.map((value, i) => value + (i === index ? by : 0));
        for (const g of [f, derivative(f, index)]) {
          const difference = (evaluate(g, moved(h)) - evaluate(g, moved(-h))) / (2 * h);
          expect(evaluate(derivative(g, index), point)).toBeCloseTo(difference, 6);
        }
      }
    });
  });
  test('of what does not depend on the input is 0, exactly', () => {
    expect(isZero(derivative(mul(y, exp(y)), 0))).toBe(true);
    expect(isZero(derivative(less(x, y)))).toBe(true);
    expect(isZero(derivative(where(less(x, 0), 1, 2)))).toBe(true);
    expect(isZero(derivative(derivative(where(less(0 as never, 1), x, 0))))).toBe(true);
  });
  test('kinks take the branch that where takes', () => {
    const relu = where(less(add(0, 0), x), x, 0);
    expect(evaluate(derivative(relu), [0])).toBe(0);
    expect(evaluate(derivative(relu), [1e-9])).toBe(1);
  });
});

describe('what is simplified', () => {
  test('a choice of 1 and 0 is the comparison', () => {
    expect(where(less(0, x), 1, 0)).toEqual(less(0, x));
    expect(where(less(0, x), 0, 1).op).toBe('where');
    expect(where(x, 1, 0).op).toBe('where');
    expect(derivative(max(0, x))).toEqual(less(0, x));
  });

  test('sums and products with 0 and 1', () => {
    expect(add(x, 0)).toBe(x);
    expect(add(0, x)).toBe(x);
    expect(sub(x, 0)).toBe(x);
    expect(mul(1, x)).toBe(x);
    expect(div(x, 1)).toBe(x);
    expect(isZero(mul(0, x))).toBe(true);
    expect(neg(neg(x))).toBe(x);
  });
});

describe('compiled', () => {
  test.each(Object.entries(functions))('%s gives the same', (_, f) => {
    for (const g of [f, derivative(f), derivative(derivative(f))])
      for (const point of points) expect(execute(compileExpression(g), point)).toBe(evaluate(g, point));
  });
  test('equal parts are computed once', () => {
    const square = () => mul(add(x, y), add(x, y));
    const { instructions } = compileExpression(add(square(), exp(square())));
    expect(instructions.map(({ op }) => op)).toEqual(['input', 'input', 'add', 'mul', 'exp', 'add']);
  });
  test('0 and −0 are two constants', () => {
    const program = compileExpression(div(1, where(x, neg(0), add(0, 0))));
    expect(execute(program, [1])).toBe(Number.NEGATIVE_INFINITY);
    expect(execute(program, [0])).toBe(Number.POSITIVE_INFINITY);
  });
  test('registers are used again: a long sum takes two', () => {
    const sum = Array.from({ length: 50 }, (_, i) => input(i)).reduce<Expression>((a, b) => add(a, b), input(50));
    const program = compileExpression(sum);
    expect(program.registers).toBe(2);
    expect(
      execute(
        program,
        Array.from({ length: 51 }, (_, i) => i),
      ),
    ).toBe(1275);
  });
  test('a shared part of exponential size as a tree stays small', () => {
    let e: Expression = x;
    for (let i = 0; i < 60; i++) e = add(e, e);
    const program = compileExpression(e);
    expect(program.instructions).toHaveLength(61);
    expect(execute(program, [1])).toBe(2 ** 60);
  });
  test('coordinates', () => {
    const program = compileExpression(equal(add(coordinate(0), 1), coordinate(2)));
    expect([execute(program, [], [2, 0, 3]), execute(program, [], [2, 0, 2])]).toEqual([1, 0]);
  });
});

test('substitute puts expressions in the place of inputs', () => {
  const f = where(less(x, y), mul(x, y), exp(x));
  expect(substitute(f, [sin(y)])).toEqual(where(less(sin(y), y), mul(sin(y), y), exp(sin(y))));
});
