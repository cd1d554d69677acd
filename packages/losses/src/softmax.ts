import { expression, type Kernels, type Shape, sizeOf, type TensorRef } from '@gradpack/core';

const { add, div, equal, exp, input, less, log1p, mul, neg, sub, where } = expression;

/**
 * The softmax over axis 1 of logits, with nothing subtracted from 1: `1 − p` of a class that is almost certain keeps all its
 * digits, at logits ±80 too. N samples, C classes, P positions.
 */
export interface Softmax {
  readonly N: number;
  readonly C: number;
  readonly P: number;
  /** [N, C, P] */
  readonly probabilities: TensorRef;
  /** −log p, [N, C, P] */
  readonly surprise: TensorRef;
  /** The probability of all classes but the likeliest, [N, 1, P]. */
  readonly others: TensorRef;
  /** 1 / (number of likeliest classes) at the likeliest classes, else 0, [N, C, P]. */
  readonly likeliest: TensorRef;
}

export function softmax(logits: TensorRef, k: Kernels): Softmax {
  const [N = 1, C = 1, ...positions] = logits.shape;
  const P = sizeOf(positions);
  const overClasses: Shape = [N, 1, P];
  const z = k.reshape(logits, [N, C, P]);
  const largest = k.reshape(k.reduce('max', input(0), [z], [1]), overClasses);

  const isLargest = equal(input(0), input(1));
  const relative = exp(sub(input(0), input(1)));
  const count = k.reshape(k.reduce('sum', isLargest, [z, largest], [1]), overClasses);
  const smaller = k.reshape(
    k.reduce('sum', where(less(input(0), input(1)), relative, 0), [z, largest], [1]),
    overClasses,
  );
  // the sum of the exponentials is count + smaller, and count is 1 but for ties
  const total = add(input(2), input(3));
  return {
    N,
    C,
    P,
    probabilities: k.map(div(relative, total), [z, largest, count, smaller]),
    surprise: k.map(add(sub(input(1), input(0)), log1p(add(sub(input(2), 1), input(3)))), [z, largest, count, smaller]),
    others: k.map(div(input(1), add(input(0), input(1))), [count, smaller]),
    likeliest: k.map(where(isLargest, div(1, input(2)), 0), [z, largest, count]),
  };
}

/** `1 − p`: above ½ a class is the likeliest, and what is left is the sum of the others. */
export function complement(p: expression.Expression, others: expression.Expression): expression.Expression {
  return where(less(0.5, p), others, sub(1, p));
}

/** `(diag p − p pᵀ) t` for tangents [V, N, C, P], relative to the likeliest class, whose entry would else be lost in rounding. */
export function softmaxCovarianceProduct(
  { N, P, probabilities, likeliest }: Softmax,
  tangents: TensorRef,
  scale: number,
  k: Kernels,
): TensorRef {
  const [V = 1] = tangents.shape;
  const overClasses = [V, N, 1, P];
  const reference = k.reshape(k.reduce('sum', mul(input(0), input(1)), [tangents, likeliest], [2]), overClasses);
  const moved = sub(input(0), input(1));
  const mean = k.reshape(k.reduce('sum', mul(input(2), moved), [tangents, reference, probabilities], [2]), overClasses);
  return k.map(mul(scale, mul(input(2), add(moved, neg(input(3))))), [tangents, reference, probabilities, mean]);
}
