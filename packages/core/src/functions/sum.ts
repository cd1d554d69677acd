import * as expression from '../backend/expression.js';
import type { Kernels } from '../backend/kernels.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import type { Maybe } from '../derivatives/linearization.js';

const SUM = expression.add(expression.input(0), expression.input(1));

/** The sum of columns, some of which may be zero (absent) or have V = 1 beside longer ones. */
export function sumColumns(k: Kernels, ...summands: readonly Maybe<TensorRef>[]): Maybe<TensorRef> {
  return summands.reduce((sum, next) => (sum && next ? k.map(SUM, [sum, next]) : (sum ?? next)), undefined);
}
