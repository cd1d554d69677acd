import type { ExpressionProgram, Instruction, Lane, UnaryOp } from '@gradpack/core';
import { lanesOf, load } from './lanes.js';
import type { Place } from './place.js';

/** Elements that one instruction works on at a time: registers stay in the first cache. */
export const BLOCK = 512;

/** Writes elements [start, start + count) of the expression, in row-major order of the shape, into the block that is returned. */
export type ExpressionBlocks = (start: number, count: number) => Float64Array;

/** Binds an expression to its inputs: `inputs[i]` is read by strides over `shape` from `places[i]`. */
export function expressionBlocks(
  { instructions, registers, result }: ExpressionProgram,
  shape: readonly number[],
  inputs: readonly Lane[],
  places: readonly Place[],
): ExpressionBlocks {
  const blocks = Array.from({ length: registers }, () => new Float64Array(BLOCK));
  const block = (register: number): Float64Array => blocks[register] as Float64Array;
  const steps = instructions.map((instruction): ((start: number, count: number) => void) => {
    const out = block(instruction.out);
    switch (instruction.op) {
      case 'input': {
        const lanes = lanesOf(shape, (inputs[instruction.value] as Lane).strides);
        const { data, at } = places[instruction.value] as Place;
        return (start, count) => load(lanes, data, at, start, count, out);
      }
      case 'constant':
        return (_start, count) => void out.fill(instruction.value, 0, count);
      case 'coordinate': {
        const extent = shape[instruction.value] as number;
        const inner = shape.slice(instruction.value + 1).reduce((a, b) => a * b, 1);
        return (start, count) => {
          for (let i = 0; i < count; i++) out[i] = Math.floor((start + i) / inner) % extent;
        };
      }
      default:
        return (_start, count) => compute(instruction, block, count);
    }
  });
  return (start, count) => {
    for (const step of steps) step(start, count);
    return block(result);
  };
}

type Computation = Exclude<Instruction, { readonly op: 'input' | 'constant' | 'coordinate' }>;

function compute(instruction: Computation, block: (register: number) => Float64Array, count: number): void {
  const out = block(instruction.out);
  if (instruction.op === 'where') {
    const condition = block(instruction.condition);
    const a = block(instruction.a);
    const b = block(instruction.b);
    for (let i = 0; i < count; i++) out[i] = condition[i] !== 0 ? (a[i] as number) : (b[i] as number);
    return;
  }
  if ('x' in instruction) {
    unary(instruction.op, block(instruction.x), out, count);
    return;
  }
  const a = block(instruction.a);
  const b = block(instruction.b);
  // one loop for each operation: the branch stays outside
  switch (instruction.op) {
    case 'add':
      for (let i = 0; i < count; i++) out[i] = (a[i] as number) + (b[i] as number);
      break;
    case 'sub':
      for (let i = 0; i < count; i++) out[i] = (a[i] as number) - (b[i] as number);
      break;
    case 'mul':
      for (let i = 0; i < count; i++) out[i] = (a[i] as number) * (b[i] as number);
      break;
    case 'div':
      for (let i = 0; i < count; i++) out[i] = (a[i] as number) / (b[i] as number);
      break;
    case 'max':
      for (let i = 0; i < count; i++) out[i] = Math.max(a[i] as number, b[i] as number);
      break;
    case 'min':
      for (let i = 0; i < count; i++) out[i] = Math.min(a[i] as number, b[i] as number);
      break;
    case 'less':
      for (let i = 0; i < count; i++) out[i] = (a[i] as number) < (b[i] as number) ? 1 : 0;
      break;
    case 'equal':
      for (let i = 0; i < count; i++) out[i] = (a[i] as number) === (b[i] as number) ? 1 : 0;
      break;
    default:
      instruction satisfies never;
  }
}

function unary(op: UnaryOp, x: Float64Array, out: Float64Array, count: number): void {
  switch (op) {
    case 'neg':
      for (let i = 0; i < count; i++) out[i] = -(x[i] as number);
      break;
    case 'abs':
      for (let i = 0; i < count; i++) out[i] = Math.abs(x[i] as number);
      break;
    case 'sign':
      for (let i = 0; i < count; i++) out[i] = Math.sign(x[i] as number);
      break;
    case 'sqrt':
      for (let i = 0; i < count; i++) out[i] = Math.sqrt(x[i] as number);
      break;
    case 'exp':
      for (let i = 0; i < count; i++) out[i] = Math.exp(x[i] as number);
      break;
    case 'expm1':
      for (let i = 0; i < count; i++) out[i] = Math.expm1(x[i] as number);
      break;
    case 'log':
      for (let i = 0; i < count; i++) out[i] = Math.log(x[i] as number);
      break;
    case 'log1p':
      for (let i = 0; i < count; i++) out[i] = Math.log1p(x[i] as number);
      break;
    case 'sigmoid':
      for (let i = 0; i < count; i++) out[i] = sigmoid(x[i] as number);
      break;
    case 'tanh':
      for (let i = 0; i < count; i++) out[i] = Math.tanh(x[i] as number);
      break;
    case 'sin':
      for (let i = 0; i < count; i++) out[i] = Math.sin(x[i] as number);
      break;
    case 'cos':
      for (let i = 0; i < count; i++) out[i] = Math.cos(x[i] as number);
      break;
    case 'floor':
      for (let i = 0; i < count; i++) out[i] = Math.floor(x[i] as number);
      break;
    default:
      op satisfies never;
  }
}

/** e^−|x| never overflows. */
function sigmoid(x: number): number {
  const e = Math.exp(-Math.abs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}
