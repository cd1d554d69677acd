import type { BinaryOp, ExpressionProgram, Instruction, UnaryOp } from '@gradpack/core';
import type { KernelText } from '../lowering/kernel-text.js';
import type { FunctionName } from './functions.wgsl.js';

type Print = { readonly text: (...x: readonly string[]) => string; readonly use?: FunctionName };

const infix = (operator: string): Print => ({ text: (a, b) => `${a} ${operator} ${b}` });
const builtin = (name: string): Print => ({ text: (...x) => `${name}(${x.join(', ')})` });
const own = (name: FunctionName): Print => ({ ...builtin(name), use: name });
const condition = (name: FunctionName): Print => ({
  text: (a, b) => `select(0.0, 1.0, ${name}(${a}, ${b}))`,
  use: name,
});

const OPERATIONS: { readonly [Op in UnaryOp | BinaryOp | 'where']: Print } = {
  neg: { text: (x) => `-${x}` },
  abs: builtin('abs'),
  sign: own('signum'),
  sqrt: builtin('sqrt'),
  exp: own('exponential'),
  expm1: own('exponential_minus_1'),
  log: own('logarithm'),
  log1p: own('logarithm_1_plus'),
  sigmoid: own('logistic'),
  tanh: own('hyperbolic_tangent'),
  sin: own('sine'),
  cos: own('cosine'),
  floor: builtin('floor'),
  add: infix('+'),
  sub: infix('-'),
  mul: infix('*'),
  div: infix('/'),
  max: own('greatest'),
  min: own('least'),
  less: condition('lesser'),
  equal: condition('same'),
  where: own('chosen'),
};

export interface PrintedExpression {
  /** `let` lines. */
  readonly lines: string;
  /** The name that holds the value. */
  readonly result: string;
}

/** The axes whose coordinate the expression asks for. */
export function coordinateAxes({ instructions }: ExpressionProgram): ReadonlySet<number> {
  return new Set(instructions.flatMap((step) => (step.op === 'coordinate' ? [step.value] : [])));
}

/**
 * An expression as WGSL. `input` and `coordinate` print f32 expressions. Constants come from the parameter block, so that calls
 * which differ in a constant share a pipeline and no compiler folds a NaN or an infinity.
 */
export function printExpression(
  k: KernelText,
  program: ExpressionProgram,
  input: (index: number) => string,
  coordinate: (axis: number) => string,
): PrintedExpression {
  const names = new Array<string>(program.registers).fill('');
  const at = (register: number): string => names[register] as string;
  const value = (step: Instruction, index: number): string => {
    switch (step.op) {
      case 'input':
        return input(step.value);
      case 'coordinate':
        return coordinate(step.value);
      case 'constant':
        return k.float(`constant${index}`, step.value);
      default: {
        const { text, use } = OPERATIONS[step.op];
        if (use) k.use(use);
        if (step.op === 'where') return text(at(step.condition), at(step.a), at(step.b));
        return 'x' in step ? text(at(step.x)) : text(at(step.a), at(step.b));
      }
    }
  };
  const lines = program.instructions.map((step, index) => {
    const line = `let e${index} = ${value(step, index)};`;
    names[step.out] = `e${index}`;
    return line;
  });
  return { lines: lines.join('\n'), result: at(program.result) };
}
