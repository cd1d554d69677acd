import { at } from './positions.js';

/** Cotangent columns at the output with sign · Σ_v S[v, n] S[v, n]ᵀ ≈ the Hessian of sample n's share of the loss. */
export interface Columns {
  readonly count: number;
  /** −1 for a negative loss scale: there is no real factor then, but diagonals have a sign. */
  readonly sign: 1 | -1;
  /** S: [V, N, F] */
  readonly data: Float64Array;
}

/** G[v, n] = Σ_f J[n, f] S[v, n, f] along a direction whose derivative of the output is J [N, F]; `row` is v·N + n. */
export function pulled({ data }: Columns, row: number, jacobian: Float64Array, samples: number): number {
  const features = jacobian.length / samples;
  const n = row % samples;
  let sum = 0;
  for (let f = 0; f < features; f++) sum += at(jacobian, n * features + f) * at(data, row * features + f);
  return sum;
}

/** For quantities that are a factor themselves. */
export function realFactor(columns: Columns): Columns {
  if (columns.sign < 0) throw new RangeError('a negative loss scale has no real factor');
  return columns;
}
