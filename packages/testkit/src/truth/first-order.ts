import { type AllDerivatives, type PerParameter, perEntry, perLeadAndEntry } from './per-parameter.js';
import { at } from './positions.js';

/** Individual gradients are those of each sample's share of the loss, reduction factor and scale included. */

const sum = (numbers: Float64Array): number => numbers.reduce((total, number) => total + number, 0);
const mean = (numbers: Float64Array): number => sum(numbers) / numbers.length;

export function gradient(all: AllDerivatives): PerParameter {
  return perEntry(all, ({ loss }) => sum(loss));
}

export function batchGrad(all: AllDerivatives, samples: number): PerParameter {
  return perLeadAndEntry(all, [samples], (n, { loss }) => at(loss, n));
}

/** Squared norms, per sample and parameter: [N]. */
export function batchL2Grad(all: AllDerivatives, samples: number): PerParameter {
  return Object.fromEntries(
    [...all].map(([name, { entries }]) => {
      const norm = (n: number): number => entries.reduce((total, { loss }) => total + at(loss, n) ** 2, 0);
      return [name, { shape: [samples], data: Array.from({ length: samples }, (_, n) => norm(n)) }];
    }),
  );
}

export function sumGradSquared(all: AllDerivatives): PerParameter {
  return perEntry(all, ({ loss }) => sum(loss.map((g) => g ** 2)));
}

/** Divided by N, not by N − 1. */
export function variance(all: AllDerivatives): PerParameter {
  return perEntry(all, ({ loss }) => {
    const center = mean(loss);
    return mean(loss.map((g) => (g - center) ** 2));
  });
}
