import type { ExpressionProgram, Instruction } from '@gradpack/core';

const UNARY: Readonly<Record<string, (x: number) => number>> = {
  neg: (x) => -x,
  abs: Math.abs,
  sign: Math.sign,
  sqrt: Math.sqrt,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sigmoid: (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  tanh: Math.tanh,
  sin: Math.sin,
  cos: Math.cos,
  floor: Math.floor,
};

const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  max: Math.max,
  min: Math.min,
  less: (a, b) => (a < b ? 1 : 0),
  equal: (a, b) => (a === b ? 1 : 0),
};

/** The expression's value for one element. */
export function evaluate(
  program: ExpressionProgram,
  inputs: (index: number) => number,
  coordinates: readonly number[],
): number {
  const registers = new Array<number>(program.registers).fill(Number.NaN);
  const r = (index: number): number => registers[index] as number;
  const value = (i: Instruction): number => {
    switch (i.op) {
      case 'input':
        return inputs(i.value);
      case 'constant':
        return i.value;
      case 'coordinate':
        return coordinates[i.value] as number;
      case 'where':
        return r(i.condition) !== 0 ? r(i.a) : r(i.b);
      default: {
        if ('x' in i) return (UNARY[i.op] as (x: number) => number)(r(i.x));
        return (BINARY[i.op] as (a: number, b: number) => number)(r(i.a), r(i.b));
      }
    }
  };
  for (const instruction of program.instructions) registers[instruction.out] = value(instruction);
  return r(program.result);
}
