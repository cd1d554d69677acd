import { GradPackError, type Shape, sizeOf } from '@gradpack/core';

/** How a loss becomes one number: the mean over samples and positions, their sum, or not at all (one number each). */
export type Reduction = 'mean' | 'sum' | 'none';

export interface LossOptions {
  /** `'mean'` when absent. `'none'` gives one value for each sample and position, which no backward pass accepts. */
  readonly reduction?: Reduction;
}

/** Throws GRADPACK-OPTION. */
export function requireReduction(where: string, reduction: Reduction): Reduction {
  if (reduction === 'mean' || reduction === 'sum' || reduction === 'none') return reduction;
  throw new GradPackError('GRADPACK-OPTION', 'reduction is not known', {
    where,
    expected: "'mean', 'sum' or 'none'",
    got: String(reduction),
    fix: 'choose one of these',
  });
}

/** K: what the sum over terms of this shape is divided by. */
export function meanFactor(reduction: Reduction, terms: Shape): number {
  return reduction === 'mean' ? sizeOf(terms) : 1;
}
