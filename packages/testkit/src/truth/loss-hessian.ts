import type { NetSpec } from '../net-spec.js';
import { forward, outputOf } from './forward.js';
import { seeded } from './hyper-dual.js';
import { lossShares } from './loss.js';
import { at, elements } from './positions.js';

/** The Hessian of each sample's share of the loss with respect to its own output. */
export interface LossHessian {
  readonly samples: number;
  readonly features: number;
  /** aᵀ H_n b, where a and b [N, F] hold one vector for each sample. */
  form(n: number, a: ArrayLike<number>, b: ArrayLike<number>): number;
}

export function lossHessian(net: NetSpec): LossHessian {
  const output = outputOf(net, forward(net));
  const samples = at(output.shape, 0);
  const features = elements(output.shape.slice(1));
  const array = { shape: output.shape, data: output.value };
  /** Feature f of every sample: samples have nothing to do with each other in the loss. */
  const unit = (f: number): Float64Array =>
    Float64Array.from({ length: samples * features }, (_, i) => (i % features === f ? 1 : 0));
  const entries = Array.from({ length: features }, (_, f) =>
    Array.from({ length: features }, (_, g) => lossShares(net, seeded(array, unit(f), unit(g))).e12),
  );
  const form = (n: number, a: ArrayLike<number>, b: ArrayLike<number>): number => {
    let sum = 0;
    for (const [f, row] of entries.entries()) {
      for (const [g, perSample] of row.entries()) {
        sum += at(a, n * features + f) * at(perSample, n) * at(b, n * features + g);
      }
    }
    return sum;
  };
  return { samples, features, form };
}
