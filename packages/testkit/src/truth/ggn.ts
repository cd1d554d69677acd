import { type Columns, pulled, realFactor } from './columns.js';
import type { LossHessian } from './loss-hessian.js';
import { type AllDerivatives, type PerParameter, perEntry, perLeadAndEntry } from './per-parameter.js';

/** Exact ones from J_nᵀ H_n J_n itself, with no factor of H_n in between. */

export function diagGgnExact(all: AllDerivatives, { samples, form }: LossHessian): PerParameter {
  return perEntry(all, ({ output }) => sumOver(samples, (n) => form(n, output, output)));
}

export function batchDiagGgnExact(all: AllDerivatives, { samples, form }: LossHessian): PerParameter {
  return perLeadAndEntry(all, [samples], (n, { output }) => form(n, output, output));
}

export function diagGgnMc(all: AllDerivatives, columns: Columns, samples: number): PerParameter {
  return perEntry(all, ({ output }) => sumOver(samples, (n) => squared(columns, n, output, samples)));
}

export function batchDiagGgnMc(all: AllDerivatives, columns: Columns, samples: number): PerParameter {
  return perLeadAndEntry(all, [samples], (n, { output }) => squared(columns, n, output, samples));
}

/** [V, N, *θ]: G = J_nᵀ S[v, n] */
export function sqrtGgn(all: AllDerivatives, columns: Columns, samples: number): PerParameter {
  const factor = realFactor(columns);
  return perLeadAndEntry(all, [factor.count, samples], (row, { output }) => pulled(factor, row, output, samples));
}

/** ± Σ_v G[v, n]² */
function squared(columns: Columns, n: number, jacobian: Float64Array, samples: number): number {
  return columns.sign * sumOver(columns.count, (v) => pulled(columns, v * samples + n, jacobian, samples) ** 2);
}

function sumOver(count: number, term: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += term(i);
  return sum;
}
