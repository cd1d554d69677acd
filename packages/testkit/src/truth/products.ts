import type { NetSpec, SpecArray } from '../net-spec.js';
import { derivativesAlong } from './derivatives.js';
import { alongVectors, type Direction, entriesOf, parameterOf } from './direction.js';
import { forward, outputOf } from './forward.js';
import { lossShares } from './loss.js';
import { lossHessian } from './loss-hessian.js';
import type { PerParameter } from './per-parameter.js';
import { usesByParameter } from './uses.js';

/** The Hessian of the loss over all trainable parameters jointly, times one vector; a missing part is zero. */
export function hessianVectorProduct(net: NetSpec, vectors: Readonly<Record<string, SpecArray>>): PerParameter {
  const along = alongVectors(net, vectors);
  return perUsedParameter(net, (entry) => {
    const shares = lossShares(net, outputOf(net, forward(net, entry, along)));
    return shares.e12.reduce((sum, share) => sum + share, 0);
  });
}

/** Σ_n J_nᵀ H_n J_n over all trainable parameters jointly, times one vector; a missing part is zero. */
export function ggnVectorProduct(net: NetSpec, vectors: Readonly<Record<string, SpecArray>>): PerParameter {
  const { samples, form } = lossHessian(net);
  const along = derivativesAlong(net, alongVectors(net, vectors)).output;
  return perUsedParameter(net, (entry) => {
    const jacobian = derivativesAlong(net, entry).output;
    let sum = 0;
    for (let n = 0; n < samples; n++) sum += form(n, jacobian, along);
    return sum;
  });
}

function perUsedParameter(net: NetSpec, value: (entry: Direction) => number): PerParameter {
  return Object.fromEntries(
    [...usesByParameter(net).keys()].map((name) => [
      name,
      { shape: parameterOf(net, name).shape, data: entriesOf(net, name).map(value) },
    ]),
  );
}
