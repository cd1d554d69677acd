import type { SpecArray } from '../net-spec.js';
import type { Derivatives, ParameterDerivatives } from './derivatives.js';

/** By name; trainable parameters that the output depends on. */
export type PerParameter<T = SpecArray> = Readonly<Record<string, T>>;

export type AllDerivatives = ReadonlyMap<string, ParameterDerivatives>;

/** An array of the parameter's shape, entry by entry. */
export function perEntry(all: AllDerivatives, value: (entry: Derivatives) => number): PerParameter {
  return arrays(all, [], ({ entries }) => entries.map(value));
}

/** An array [...lead, *θ]: `value` at each index of `lead` (flat), at each entry. */
export function perLeadAndEntry(
  all: AllDerivatives,
  lead: readonly number[],
  value: (lead: number, entry: Derivatives) => number,
): PerParameter {
  const count = lead.reduce((product, extent) => product * extent, 1);
  return arrays(all, lead, ({ entries }) =>
    Array.from({ length: count }, (_, i) => entries.map((entry) => value(i, entry))).flat(),
  );
}

function arrays(
  all: AllDerivatives,
  lead: readonly number[],
  data: (parameter: ParameterDerivatives) => number[],
): PerParameter {
  return Object.fromEntries(
    [...all].map(([name, parameter]) => [name, { shape: [...lead, ...parameter.shape], data: data(parameter) }]),
  );
}
