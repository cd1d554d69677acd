import { type AllDerivatives, type PerParameter, perEntry, perLeadAndEntry } from './per-parameter.js';
import { at } from './positions.js';

export function diagHessian(all: AllDerivatives): PerParameter {
  return perEntry(all, ({ lossTwice }) => lossTwice.reduce((sum, second) => sum + second, 0));
}

export function batchDiagHessian(all: AllDerivatives, samples: number): PerParameter {
  return perLeadAndEntry(all, [samples], (n, { lossTwice }) => at(lossTwice, n));
}
