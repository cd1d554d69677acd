import type { Comparison } from './run-case.js';

/**
 * The largest `max|expected − got| / max|expected|` over the buffers. NaN must meet NaN, an infinity its like, and integers must be
 * equal: else the error is infinite. Where all is 0, the error is absolute.
 */
export function worstError(comparisons: readonly Pick<Comparison, 'expected' | 'got'>[]): number {
  return comparisons.reduce((worst, comparison) => Math.max(worst, relativeError(comparison)), 0);
}

function relativeError({ expected, got }: Pick<Comparison, 'expected' | 'got'>): number {
  if (expected.length !== got.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [expected[i] as number, got[i] as number];
    if (Object.is(a, b)) {
      if (Number.isFinite(a)) largest = Math.max(largest, Math.abs(a));
      continue;
    }
    if (!Number.isFinite(a) || !Number.isFinite(b) || (expected instanceof Int32Array && a !== b))
      return Number.POSITIVE_INFINITY;
    difference = Math.max(difference, Math.abs(a - b));
    largest = Math.max(largest, Math.abs(a));
  }
  return largest === 0 ? difference : difference / largest;
}
