import type { Recorder } from '../backend/recorder.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import type { Parameter } from '../module/parameter.js';
import type { FormedQuantity, ProductMode } from '../quantity/quantity.js';
import type { Asked } from './asked.js';
import type { Extraction } from './extraction.js';
import type { Targets } from './targets.js';
import { isTensorRef, mapLeaves } from './tree.js';

export interface RecordedResults {
  readonly gradient: ReadonlyMap<Parameter, TensorRef>;
  /** By the caller's name: a value per parameter with TensorRefs, or a product. */
  readonly results: ReadonlyMap<string, ReadonlyMap<Parameter, unknown> | ProductMode>;
}

/** What the targets took, with zeros for what no column reached, in the order of `parameters` and as results of the run. */
export function recordResults(
  { quantities }: Asked,
  targets: Targets,
  extraction: Extraction,
  parameters: readonly Parameter[],
  k: Recorder,
): RecordedResults {
  for (const target of targets.all) extraction.finish(target, parameters);
  const valuesOf = (quantity: FormedQuantity): ReadonlyMap<Parameter, unknown> => {
    if (quantity.by === 'product') return new Map();
    if (quantity.by !== 'derived') return targets.at(quantity).results;
    const parts = Object.entries(quantity.from).map(([name, part]) => [name, valuesOf(part)] as const);
    const common = parameters.filter((parameter) => parts.every(([, values]) => values.has(parameter)));
    const compute = quantity.compute as (parts: Readonly<Record<string, unknown>>, c: unknown) => unknown;
    const partsOf = (parameter: Parameter): Readonly<Record<string, unknown>> =>
      Object.fromEntries(parts.map(([name, values]) => [name, values.get(parameter)]));
    return new Map(
      common.map((parameter) => [parameter, compute(partsOf(parameter), extraction.contextOf(parameter))]),
    );
  };
  const promoted = (values: ReadonlyMap<Parameter, unknown>): ReadonlyMap<Parameter, unknown> =>
    new Map(
      parameters
        .filter((parameter) => values.has(parameter))
        .map((parameter) => [parameter, mapLeaves(values.get(parameter), isTensorRef, (x) => k.promote(x))]),
    );
  const results = new Map(
    quantities.map(
      ([name, quantity]) => [name, quantity.by === 'product' ? quantity.mode : promoted(valuesOf(quantity))] as const,
    ),
  );
  const gradient = promoted(targets.gradient.results) as ReadonlyMap<Parameter, TensorRef>;
  return { gradient, results };
}
