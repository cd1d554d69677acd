import type { Expression, ExpressionProgram, Instruction } from '../src/backend/expression.js';

/** What an expression means, written a second time. */
export function evaluate(e: Expression, inputs: readonly number[], coordinates: readonly number[] = []): number {
  const v = (x: Expression): number => evaluate(x, inputs, coordinates);
  switch (e.op) {
    case 'input':
      return inputs[e.index]!;
    case 'constant':
      return e.value;
    case 'coordinate':
      return coordinates[e.axis]!;
    case 'where':
      return v(e.condition) !== 0 ? v(e.a) : v(e.b);
    default:
      return 'x' in e ? UNARY[e.op](v(e.x)) : BINARY[e.op](v(e.a), v(e.b));
  }
}

/** Runs a compiled expression, register by register. */
export function execute(
  { instructions, registers, result }: ExpressionProgram,
  inputs: readonly number[],
  coordinates: readonly number[] = [],
): number {
  const r = new Array<number>(registers).fill(Number.NaN);
  const step = (i: Instruction): number => {
    switch (i.op) {
      case 'input':
        return inputs[i.value]!;
      case 'constant':
        return i.value;
      case 'coordinate':
        return coordinates[i.value]!;
      case 'where':
        return r[i.condition] !== 0 ? r[i.a]! : r[i.b]!;
      default:
        return 'x' in i ? UNARY[i.op](r[i.x]!) : BINARY[i.op](r[i.a]!, r[i.b]!);
    }
  };
  for (const instruction of instructions) r[instruction.out] = step(instruction);
  return r[result]!;
}

const UNARY = {
  neg: (x: number) => -x,
  abs: Math.abs,
  sign: Math.sign,
  sqrt: Math.sqrt,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  sin: Math.sin,
  cos: Math.cos,
  floor: Math.floor,
};
const BINARY = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
  max: Math.max,
  min: Math.min,
  less: (a: number, b: number) => Number(a < b),
  equal: (a: number, b: number) => Number(a === b),
};
