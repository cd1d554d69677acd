import { expect } from 'vitest';
import type { SpecArray } from '../src/net-spec.js';

/** The same shape, and max|a − b| ≤ tolerance · max|expected|. */
export function expectWithin(actual: SpecArray | undefined, expected: SpecArray, tolerance: number, what = ''): void {
  expect(actual?.shape, what).toEqual(expected.shape);
  const largest = Math.max(...expected.data.map(Math.abs), 0);
  const worst = Math.max(...expected.data.map((entry, i) => Math.abs(entry - (actual?.data[i] ?? Number.NaN))), 0);
  expect(worst, `${what}: deviates by ${worst} where the largest entry is ${largest}`).toBeLessThanOrEqual(
    tolerance * largest,
  );
}

/** The same names, and each array within. */
export function expectAllWithin(
  actual: Readonly<Record<string, SpecArray>>,
  expected: Readonly<Record<string, SpecArray>>,
  tolerance: number,
  what = '',
): void {
  expect(Object.keys(actual).sort(), what).toEqual(Object.keys(expected).sort());
  for (const [name, array] of Object.entries(expected)) {
    expectWithin(actual[name], array, tolerance, `${what} ${name}`);
  }
}
