import { GradPackError } from '../errors/gradpack-error.js';
import type { Reduction } from './reduction.js';

export interface RowOptions {
  /** Rows of the batch to give in place of all; repeats allowed. The results equal these rows of the full result. */
  readonly rows?: readonly number[];
}

/** The rows as a part of a reduction. Throws GRADPACK-OPTION where one is not a row number. */
export function rowsOf({ rows }: RowOptions, where: string): Pick<Reduction, 'samples'> {
  if (!rows) return {};
  const wrong = rows.find((row) => !Number.isInteger(row) || row < 0);
  if (wrong === undefined && rows.length > 0) return { samples: rows };
  throw new GradPackError('GRADPACK-OPTION', 'rows must be rows of the batch', {
    where,
    expected: 'one or more whole numbers, 0 or more',
    got: wrong ?? 'an empty list',
    fix: 'pass row numbers such as { rows: [0, 2] }',
  });
}
