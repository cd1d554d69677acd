import { type BinaryOp, expression, type UnaryOp } from '@gradpack/core';

type Operation = 'input' | 'constant' | 'coordinate' | UnaryOp | BinaryOp | 'where';

/** Instructions as `addon/kernels/expression.cc` numbers them. */
export const OPERATIONS: readonly Operation[] = [
  'input',
  'constant',
  'coordinate',
  ...expression.UNARY_OPS,
  ...expression.BINARY_OPS,
  'where',
];
