import type { FactorSpec } from '@gradpack/core';
import { get, type Place } from './place.js';
import { position, positions } from './position.js';

/** Entry [v, n, g, f, t] of a factor. */
export function factorAt(
  factor: FactorSpec,
  reads: readonly Place[],
  v: number,
  n: number,
  g: number,
  f: number,
  t: number,
): number {
  if (factor.form === 'dense') {
    const { strides } = factor;
    return get(reads, factor.read, v * strides.v + n * strides.n + g * strides.g + f * strides.f + t * strides.t);
  }
  const K = positions(factor.window.kernel);
  const p = position(factor.window, f % K, t);
  const { strides } = factor;
  return p < 0
    ? 0
    : get(reads, factor.read, v * strides.v + n * strides.n + g * strides.g + Math.floor(f / K) * strides.c + p);
}
