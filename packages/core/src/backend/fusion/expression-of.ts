import {
  constant,
  coordinate,
  type Expression,
  type ExpressionProgram,
  type Instruction,
  input,
} from '../expression.js';

/** The expression that a program computes. */
export function expressionOf({ instructions, result }: ExpressionProgram): Expression {
  const registers: Expression[] = [];
  const at = (register: number): Expression => registers[register] as Expression;
  for (const step of instructions) registers[step.out] = instructionOn(step, at);
  return at(result);
}

function instructionOn(step: Instruction, at: (register: number) => Expression): Expression {
  switch (step.op) {
    case 'input':
      return input(step.value);
    case 'constant':
      return constant(step.value);
    case 'coordinate':
      return coordinate(step.value);
    case 'where':
      return { op: 'where', condition: at(step.condition), a: at(step.a), b: at(step.b) };
    default:
      return 'x' in step ? { op: step.op, x: at(step.x) } : { op: step.op, a: at(step.a), b: at(step.b) };
  }
}
