import { GradPackError } from '../errors/gradpack-error.js';
import { identity } from '../identity.js';
import type { FactorForm } from '../loss/loss.js';
import type { HostArray } from '../tensor/host-array.js';
import type { Signal } from './signal.js';

/** The loss gradient: one column. */
export const gradient: Signal<'columns'> = {
  name: 'gradient',
  needs: 'columns',
  key: 'gradient',
  inside: false,
  columns: () => 1,
  make: ({ loss }) => loss.gradient(),
};

/** The exact factor of the loss Hessian: `Σ_v S_v S_vᵀ = H_n / K`. `full` is BackPACK's, with C columns for C classes; `reduced` has C − 1. */
export function exactFactor(form: FactorForm = 'reduced'): Signal<'columns'> {
  return {
    name: 'exactFactor',
    needs: 'columns',
    key: 'exactFactor',
    form,
    inside: false,
    columns: (loss, output) => loss.columns(output, form),
    make: ({ loss }, range) => loss.exactFactor(form, range),
  };
}

/** The exact factor, and inside the net signed columns for the curvature of every layer: together the Hessian. */
export const hessian: Signal<'curvature'> = {
  ...exactFactor('reduced'),
  name: 'hessian',
  needs: 'curvature',
  inside: true,
};

/** How labels are drawn. */
export interface SampledOptions {
  /** Columns M: labels drawn per sample and position. */
  readonly samples: number;
  /** With a seed the same labels are drawn in every step; without one, new ones. */
  readonly seed?: number | undefined;
  /** Labels in place of drawn ones, [M, N, ...positions]: to reproduce a result. */
  readonly labels?: HostArray | undefined;
}

/** The sampled factor of the loss Hessian: gradients at M labels drawn from the model's own prediction. */
export function sampledFactor({ samples, seed, labels }: SampledOptions): Signal<'columns'> {
  if (!Number.isInteger(samples) || samples < 1)
    throw new GradPackError('GRADPACK-OPTION', 'a sampled quantity needs at least one sample', {
      where: 'sampledFactor',
      expected: 'a whole number, 1 or more',
      got: samples,
      fix: 'pass { samples: 1 }, or use the exact quantity',
    });
  if (labels && labels.shape[0] !== samples)
    throw new GradPackError('GRADPACK-SHAPE', 'the given labels do not fit the number of samples', {
      where: 'sampledFactor',
      expected: `[${samples}, N, ...positions]`,
      got: `[${labels.shape.join(', ')}]`,
      fix: 'pass one set of labels per sample',
    });
  const drawn = labels ? `labels ${identity(labels.data)} [${labels.shape.join(',')}]` : (seed ?? 'step');
  return {
    name: 'sampledFactor',
    needs: 'columns',
    key: `sampledFactor(${samples},${drawn})`,
    inside: false,
    ...(labels && { labels }),
    columns: () => samples,
    make({ loss, labels: given, stream }, range) {
      if (!loss.sampledFactor)
        throw new GradPackError('GRADPACK-UNSUPPORTED-PAIR', 'the loss has no sampled factor', {
          where: 'sampledFactor',
          fix: 'use the exact quantity',
        });
      return loss.sampledFactor(samples, given ? { labels: given } : { stream: stream(seed) }, range);
    },
  };
}
