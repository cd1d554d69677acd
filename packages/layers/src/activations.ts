import { expression } from '@gradpack/core';
import { type Elementwise, elementwise } from './elementwise.js';

const {
  abs,
  add,
  div,
  exp,
  expm1,
  input,
  less,
  log1p,
  max,
  min,
  mul,
  neg,
  sigmoid: logistic,
  tanh: hyperbolic,
  sub,
  where,
} = expression;
const x = input(0);
const isPositive = less(0, x);

/**
 * `max(0, x)`; the derivative at 0 is 0, NaN passes through.
 *
 * @example
 * const model = sequential(linear(4, 8), relu(), linear(8, 2));
 */
export function relu(): Elementwise<'relu'> {
  // in this order the derivative of `max` at a tie is the constant's
  return elementwise('relu', 'relu', max(0, x));
}

/**
 * `x` above 0, else `negativeSlope · x`; the derivative at 0 is `negativeSlope`.
 *
 * @example
 * const model = sequential(linear(4, 8), leakyRelu(0.2), linear(8, 2));
 */
export function leakyRelu(negativeSlope = 0.01): Elementwise<'leakyRelu'> {
  return elementwise('leakyRelu', `leakyRelu(${negativeSlope})`, where(isPositive, x, mul(negativeSlope, x)));
}

/**
 * `1 / (1 + e^−x)`.
 *
 * @example
 * const model = sequential(linear(4, 8), sigmoid(), linear(8, 2));
 */
export function sigmoid(): Elementwise<'sigmoid'> {
  return elementwise('sigmoid', 'sigmoid', logistic(x));
}

/**
 * `log(1 / (1 + e^−x))`, without overflow.
 *
 * @example
 * const model = sequential(linear(4, 8), logSigmoid());
 */
export function logSigmoid(): Elementwise<'logSigmoid'> {
  return elementwise('logSigmoid', 'logSigmoid', sub(min(x, 0), log1p(exp(neg(abs(x))))), logistic(neg(x)));
}

/**
 * The hyperbolic tangent.
 *
 * @example
 * const model = sequential(linear(4, 8), tanh(), linear(8, 2));
 */
export function tanh(): Elementwise<'tanh'> {
  return elementwise('tanh', 'tanh', hyperbolic(x));
}

/**
 * `x` above 0, else `alpha (e^x − 1)`; at 0 the derivatives are those of the exponential.
 *
 * @example
 * const model = sequential(linear(4, 8), elu(), linear(8, 2));
 */
export function elu(alpha = 1): Elementwise<'elu'> {
  return elementwise('elu', `elu(${alpha})`, where(isPositive, x, mul(alpha, expm1(x))));
}

/**
 * `scale · elu(x, alpha)` with the constants of self-normalising nets (Klambauer et al. 2017).
 *
 * @example
 * const model = sequential(linear(4, 8), selu(), linear(8, 2));
 */
export function selu(): Elementwise<'selu'> {
  const [alpha, scale] = [1.6732632423543772, 1.0507009873554805];
  return elementwise('selu', 'selu', where(isPositive, mul(scale, x), mul(scale * alpha, expm1(x))));
}

/**
 * `x / (1 + e^−x)`, also known as swish.
 *
 * @example
 * const model = sequential(linear(4, 8), silu(), linear(8, 2));
 */
export function silu(): Elementwise<'silu'> {
  return elementwise('silu', 'silu', mul(x, logistic(x)));
}

/**
 * `log(1 + e^(beta x)) / beta`, and `x` itself where `beta x > threshold`.
 *
 * @example
 * const model = sequential(linear(4, 8), softplus(), linear(8, 2));
 */
export function softplus(beta = 1, threshold = 20): Elementwise<'softplus'> {
  const scaled = mul(beta, x);
  const isLinear = less(threshold, scaled);
  const smooth = div(add(max(scaled, 0), log1p(exp(neg(abs(scaled))))), beta);
  return elementwise(
    'softplus',
    `softplus(${beta},${threshold})`,
    where(isLinear, x, smooth),
    where(isLinear, 1, logistic(scaled)),
  );
}
