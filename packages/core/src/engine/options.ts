import { GradPackError } from '../errors/gradpack-error.js';
import type { BackwardOptions } from './net.js';

const WORDS = { mode: ['train', 'eval'], onMissing: ['error', 'skip'], inner: ['growing', 'separate'] } as const;

/** Throws GRADPACK-OPTION for an option of `backward` that makes no sense. */
export function requireOptions(options: BackwardOptions, where: string): void {
  for (const name of ['mode', 'onMissing', 'inner'] as const) {
    const got = options[name];
    const known: readonly string[] = WORDS[name];
    if (got !== undefined && !known.includes(got))
      throw new GradPackError('GRADPACK-OPTION', `the option ${name} has no such value`, {
        where,
        expected: known.map((word) => `'${word}'`).join(' or '),
        got: String(got),
        fix: `use one of these, or leave ${name} out`,
      });
  }
  const { columns, inner, memoryLimit } = options;
  if (columns !== undefined && !(Number.isInteger(columns) && columns >= 1))
    throw wrongNumber('columns', columns, where);
  if (columns !== undefined && inner === 'growing')
    throw new GradPackError('GRADPACK-OPTION', 'columns and a growing pass exclude each other', {
      where,
      expected: "columns, or inner: 'growing'",
      got: `columns ${columns} and inner 'growing', which takes all columns at once`,
      fix: 'leave one of the two out',
    });
  if (memoryLimit !== undefined && !(memoryLimit > 0)) throw wrongNumber('memoryLimit', memoryLimit, where);
}

function wrongNumber(name: 'columns' | 'memoryLimit', got: unknown, where: string): GradPackError {
  return new GradPackError('GRADPACK-OPTION', `the option ${name} makes no sense`, {
    where,
    expected: name === 'columns' ? 'a whole number, 1 or more' : 'a number of bytes above 0',
    got: String(got),
    fix: `leave ${name} out: the plan then decides`,
  });
}

/** Seeds and step counters are 32-bit words. Throws GRADPACK-OPTION. */
export function requireWord(name: string, value: number, where: string): number {
  if (Number.isInteger(value) && Math.abs(value) <= 2 ** 32) return value;
  throw new GradPackError('GRADPACK-OPTION', `${name} is not a whole number`, {
    where,
    expected: 'a whole number of at most 32 bits',
    got: String(value),
    fix: `pass a ${name} such as 0`,
  });
}
