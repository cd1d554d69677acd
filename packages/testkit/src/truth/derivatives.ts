import type { NetSpec } from '../net-spec.js';
import { type Direction, entriesOf, parameterOf } from './direction.js';
import { forward, outputOf } from './forward.js';
import { lossShares } from './loss.js';
import { usesByParameter } from './uses.js';

/** Derivatives along one direction d. */
export interface Derivatives {
  /** ∂f_n/∂d: [N, F], F the output's features. */
  readonly output: Float64Array;
  /** ∂ℓ_n/∂d of each sample's share of the loss: [N]. */
  readonly loss: Float64Array;
  /** ∂²ℓ_n/∂d²: [N]. */
  readonly lossTwice: Float64Array;
}

export function derivativesAlong(net: NetSpec, direction: Direction): Derivatives {
  const output = outputOf(net, forward(net, direction, direction));
  const loss = lossShares(net, output);
  return { output: output.e1, loss: loss.e1, lossTwice: loss.e12 };
}

export interface ParameterDerivatives {
  readonly shape: readonly number[];
  /** One for each entry of the parameter, in its order. */
  readonly entries: readonly Derivatives[];
}

/** Of every trainable parameter that the output depends on. */
export function parameterDerivatives(net: NetSpec): ReadonlyMap<string, ParameterDerivatives> {
  return new Map(
    [...usesByParameter(net).keys()].map((name) => [
      name,
      {
        shape: parameterOf(net, name).shape,
        entries: entriesOf(net, name).map((direction) => derivativesAlong(net, direction)),
      },
    ]),
  );
}
