import type { Arrays } from './implementation.js';

/** Of the largest entry of each result; everything computes in float32. */
const TOLERANCE = 1e-4;

/** Where two implementations did not compute the same, in words. */
export function disagreement(expected: Arrays, actual: Arrays, tolerance: number = TOLERANCE): string | undefined {
  if (expected.size !== actual.size) return `${actual.size} results, expected ${expected.size}`;
  for (const [name, values] of expected) {
    const error = relativeError(values, actual.get(name) ?? []);
    if (!(error <= tolerance)) return `${name} differs by ${error.toExponential(1)} of its largest entry`;
  }
  return undefined;
}

/** max |a − b| / max |b|, NaN where one has a NaN or they differ in length. */
function relativeError(expected: ArrayLike<number>, actual: ArrayLike<number>): number {
  if (expected.length !== actual.length) return Number.NaN;
  let [difference, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [actual[i] ?? Number.NaN, expected[i] ?? Number.NaN];
    if (Number.isNaN(a - b)) return Number.NaN;
    difference = Math.max(difference, Math.abs(a - b));
    largest = Math.max(largest, Math.abs(b));
  }
  return difference === 0 ? 0 : difference / largest;
}
