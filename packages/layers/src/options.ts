import { GradPackError } from '@gradpack/core';

/** One number for every spatial axis, or one for each. */
export type PerAxis = number | readonly number[];

/** Throws GRADPACK-OPTION unless `value` is a whole number ≥ `least`. */
export function wholeNumber(where: string, name: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least) return value;
  throw new GradPackError('GRADPACK-OPTION', `${name} makes no sense`, {
    where,
    expected: `${name}: a whole number ≥ ${least}`,
    got: value,
    fix: `pass ${name} as a whole number of at least ${least}`,
  });
}

/** An option for each of `axes` spatial axes. Throws GRADPACK-OPTION. */
export function perAxis(where: string, name: string, value: PerAxis, axes: number, least: number): readonly number[] {
  const each = typeof value === 'number' ? new Array<number>(axes).fill(value) : value;
  if (!Array.isArray(each) || each.length !== axes)
    throw new GradPackError('GRADPACK-OPTION', `${name} needs one number for each spatial axis`, {
      where,
      expected: `${name}: one number, or ${axes} of them`,
      got: Array.isArray(each) ? `[${each.join(', ')}]` : `a value of type ${typeof each}`,
      fix: `pass a single number, or an array of ${axes}`,
    });
  for (const number of each) wholeNumber(where, name, number, least);
  return [...each];
}
