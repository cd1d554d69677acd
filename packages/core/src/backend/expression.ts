import { replaceLeaves } from './replace-leaves.js';

/**
 * Elementwise functions, written once as small trees and compiled by each backend: cpu and native run the postfix program of
 * `compileExpression` block by block, WebGPU prints WGSL. Comparisons give 1 or 0 and are 0 where an operand is NaN.
 */
export type Expression =
  | { readonly op: 'input'; readonly index: number }
  | { readonly op: 'constant'; readonly value: number }
  /** The index along an axis of the shape that is iterated over. */
  | { readonly op: 'coordinate'; readonly axis: number }
  | { readonly op: UnaryOp; readonly x: Expression }
  | { readonly op: BinaryOp; readonly a: Expression; readonly b: Expression }
  /** `a` where the condition is not 0, else `b`; the branch that is not taken may be NaN. */
  | { readonly op: 'where'; readonly condition: Expression; readonly a: Expression; readonly b: Expression };

/** Functions of one operand. */
export const UNARY_OPS = [
  'neg',
  'abs',
  'sign',
  'sqrt',
  'exp',
  'expm1',
  'log',
  'log1p',
  'sigmoid',
  'tanh',
  'sin',
  'cos',
  'floor',
] as const;
/** `sigmoid` is 1/(1+e^−x) without overflow. `sign(0) = 0`. */
export type UnaryOp = (typeof UNARY_OPS)[number];

/** Functions of two operands. */
export const BINARY_OPS = ['add', 'sub', 'mul', 'div', 'max', 'min', 'less', 'equal'] as const;
/** `max` and `min` give NaN where an operand is NaN. */
export type BinaryOp = (typeof BINARY_OPS)[number];

/** The entry of tensor `index` of those that `map` or `reduce` is given. */
export const input = (index: number): Expression => ({ op: 'input', index });
/** A number. */
export const constant = (value: number): Expression => ({ op: 'constant', value });
/** The index along `axis` of the shape that is iterated over, from 0. */
export const coordinate = (axis: number): Expression => ({ op: 'coordinate', axis });

type Term = Expression | number;
const lift = (x: Term): Expression => (typeof x === 'number' ? constant(x) : x);
const isConstant = (x: Expression, value: number): boolean => x.op === 'constant' && x.value === value;
const unary =
  (op: UnaryOp) =>
  (x: Term): Expression => ({ op, x: lift(x) });

/** `|x|`, with slope `sign(x)`. */
export const abs: (x: Term) => Expression = unary('abs');
/** −1, 0 or 1. */
export const sign: (x: Term) => Expression = unary('sign');
/** `√x`. */
export const sqrt: (x: Term) => Expression = unary('sqrt');
/** `e^x`. */
export const exp: (x: Term) => Expression = unary('exp');
/** `e^x − 1`, exact near 0. */
export const expm1: (x: Term) => Expression = unary('expm1');
/** The natural logarithm. */
export const log: (x: Term) => Expression = unary('log');
/** `log(1 + x)`, exact near 0. */
export const log1p: (x: Term) => Expression = unary('log1p');
/** `1 / (1 + e^−x)`, without overflow. */
export const sigmoid: (x: Term) => Expression = unary('sigmoid');
/** The hyperbolic tangent. */
export const tanh: (x: Term) => Expression = unary('tanh');
/** The sine of radians. */
export const sin: (x: Term) => Expression = unary('sin');
/** The cosine of radians. */
export const cos: (x: Term) => Expression = unary('cos');
/** The largest whole number that is not above x. */
export const floor: (x: Term) => Expression = unary('floor');

/** `−x`. */
export function neg(x: Term): Expression {
  const e = lift(x);
  return e.op === 'constant' ? constant(-e.value) : e.op === 'neg' ? e.x : { op: 'neg', x: e };
}
/** `x + y`; a zero is left out. */
export function add(x: Term, y: Term): Expression {
  const [a, b] = [lift(x), lift(y)];
  if (isConstant(a, 0)) return b;
  return isConstant(b, 0) ? a : { op: 'add', a, b };
}
/** `x − y`; a zero is left out. */
export function sub(x: Term, y: Term): Expression {
  const [a, b] = [lift(x), lift(y)];
  if (isConstant(a, 0)) return neg(b);
  return isConstant(b, 0) ? a : { op: 'sub', a, b };
}
/** `x · y`; 0 where one is the constant 0, a factor 1 is left out. */
export function mul(x: Term, y: Term): Expression {
  const [a, b] = [lift(x), lift(y)];
  if (isConstant(a, 0) || isConstant(b, 0)) return constant(0);
  if (isConstant(a, 1)) return b;
  return isConstant(b, 1) ? a : { op: 'mul', a, b };
}
/** `x / y`. */
export function div(x: Term, y: Term): Expression {
  const [a, b] = [lift(x), lift(y)];
  if (isConstant(a, 0)) return a;
  return isConstant(b, 1) ? a : { op: 'div', a, b };
}
const binary =
  (op: BinaryOp) =>
  (x: Term, y: Term): Expression => ({ op, a: lift(x), b: lift(y) });
/** The larger one, NaN where one is NaN. At a tie the derivative is that of the first. */
export const max: (x: Term, y: Term) => Expression = binary('max');
/** The smaller one, NaN where one is NaN. */
export const min: (x: Term, y: Term) => Expression = binary('min');
/** 1 where `x < y`, else 0. */
export const less: (x: Term, y: Term) => Expression = binary('less');
/** 1 where `x = y`, else 0. */
export const equal: (x: Term, y: Term) => Expression = binary('equal');
/** `a` where the condition is not 0, else `b`; a comparison itself where that is 1 and 0. */
export function where(condition: Expression, a: Term, b: Term): Expression {
  const [x, y] = [lift(a), lift(b)];
  const compares = condition.op === 'less' || condition.op === 'equal';
  return compares && isConstant(x, 1) && isConstant(y, 0) ? condition : { op: 'where', condition, a: x, b: y };
}

/** The symbolic derivative by input `index`; kinks take the branch that `where` takes, comparisons count as constant. */
export function derivative(e: Expression, index = 0): Expression {
  const d = (x: Expression): Expression => derivative(x, index);
  switch (e.op) {
    case 'input':
      return constant(e.index === index ? 1 : 0);
    case 'constant':
    case 'coordinate':
    case 'sign':
    case 'floor':
    case 'less':
    case 'equal':
      return constant(0);
    case 'neg':
      return neg(d(e.x));
    case 'abs':
      return mul(sign(e.x), d(e.x));
    case 'sqrt':
      return div(d(e.x), mul(2, e));
    case 'exp':
      return mul(e, d(e.x));
    case 'expm1':
      return mul(exp(e.x), d(e.x));
    case 'log':
      return div(d(e.x), e.x);
    case 'log1p':
      return div(d(e.x), add(1, e.x));
    case 'sigmoid':
      return mul(mul(e, sigmoid(neg(e.x))), d(e.x));
    case 'tanh':
      return mul(mul(sub(1, e), add(1, e)), d(e.x));
    case 'sin':
      return mul(cos(e.x), d(e.x));
    case 'cos':
      return mul(neg(sin(e.x)), d(e.x));
    case 'add':
      return add(d(e.a), d(e.b));
    case 'sub':
      return sub(d(e.a), d(e.b));
    case 'mul':
      return add(mul(d(e.a), e.b), mul(e.a, d(e.b)));
    case 'div':
      return div(sub(d(e.a), mul(e, d(e.b))), e.b);
    case 'max':
      return where(less(e.a, e.b), d(e.b), d(e.a));
    case 'min':
      return where(less(e.b, e.a), d(e.b), d(e.a));
    case 'where': {
      const [a, b] = [d(e.a), d(e.b)];
      return isConstant(a, 0) && isConstant(b, 0) ? a : where(e.condition, a, b);
    }
  }
}

/** Whether the expression is the constant 0. */
export function isZero(e: Expression): boolean {
  return isConstant(e, 0);
}

/** Replaces each input by an expression. */
export function substitute(e: Expression, inputs: readonly Expression[]): Expression {
  return replaceLeaves(e, (leaf) => (leaf.op === 'input' ? (inputs[leaf.index] ?? leaf) : leaf));
}

/** One step: register `out` gets the operation on registers (for input, constant and coordinate: on `value`). */
export type Instruction =
  | { readonly op: 'input' | 'constant' | 'coordinate'; readonly out: number; readonly value: number }
  | { readonly op: UnaryOp; readonly out: number; readonly x: number }
  | { readonly op: BinaryOp; readonly out: number; readonly a: number; readonly b: number }
  | { readonly op: 'where'; readonly out: number; readonly condition: number; readonly a: number; readonly b: number };

/** `result` is the register that holds the value at the end. Equal subexpressions are computed once; registers are reused. */
export interface ExpressionProgram {
  readonly instructions: readonly Instruction[];
  readonly registers: number;
  readonly result: number;
}

/** The expression as a straight-line program over few registers. */
export function compileExpression(expression: Expression): ExpressionProgram {
  const order: Expression[] = [];
  const keys = new Map<Expression, string>();
  const first = new Map<string, number>();
  const visit = (e: Expression): number => {
    const known = keys.get(e);
    if (known !== undefined) return first.get(known) as number;
    const args = argumentsOf(e).map(visit);
    const own = e.op === 'input' ? e.index : e.op === 'constant' ? e.value : e.op === 'coordinate' ? e.axis : '';
    const key = `${e.op}:${Object.is(own, -0) ? '-0' : own}:${args.join(',')}`;
    keys.set(e, key);
    const at = first.get(key);
    if (at !== undefined) return at;
    first.set(key, order.length);
    order.push(e);
    return order.length - 1;
  };
  const result = visit(expression);
  const place = (e: Expression): number => first.get(keys.get(e) as string) as number;
  const lastUse = new Array<number>(order.length).fill(-1);
  order.forEach((e, at) => {
    for (const argument of argumentsOf(e)) lastUse[place(argument)] = at;
  });
  lastUse[result] = order.length;

  const register = new Array<number>(order.length).fill(-1);
  const free: number[] = [];
  let registers = 0;
  const instructions = order.map((e, at): Instruction => {
    const r = (x: Expression): number => register[place(x)] as number;
    const sources = argumentsOf(e).map(r);
    // an operand that dies here gives its register to the result: every operation may work in place
    for (const dying of new Set(argumentsOf(e).map(place)))
      if (lastUse[dying] === at) free.push(register[dying] as number);
    const out = free.pop() ?? registers++;
    register[at] = out;
    const [a = 0, b = 0, c = 0] = sources;
    if (e.op === 'input') return { op: 'input', out, value: e.index };
    if (e.op === 'constant') return { op: 'constant', out, value: e.value };
    if (e.op === 'coordinate') return { op: 'coordinate', out, value: e.axis };
    if (e.op === 'where') return { op: 'where', out, condition: a, a: b, b: c };
    return 'x' in e ? { op: e.op, out, x: a } : { op: e.op, out, a, b };
  });
  return { instructions, registers, result: register[result] as number };
}

function argumentsOf(e: Expression): readonly Expression[] {
  if ('x' in e) return [e.x];
  if (e.op === 'where') return [e.condition, e.a, e.b];
  return 'a' in e ? [e.a, e.b] : [];
}
