import type { Parameter } from '../module/parameter.js';
import type { FormedQuantity, ProductMode } from '../quantity/quantity.js';
import type { Signal } from '../signal/signal.js';
import type { Graph } from './graph.js';
import { type MissingPair, missingPairs } from './missing.js';
import type { PlanRequest } from './plan.js';
import { unsupported } from './plan-errors.js';

/** What a step is to compute. */
export interface Asked {
  /** By the caller's name, without what is missing for the whole net. */
  readonly quantities: readonly (readonly [name: string, quantity: FormedQuantity])[];
  readonly products: readonly ProductMode[];
  /** What the quantities read. */
  readonly signals: readonly Signal[];
  readonly missing: readonly MissingPair[];
  /** What stands between one quantity and this net. */
  missingOf(quantity: FormedQuantity): readonly MissingPair[];
}

/** Throws GRADPACK-UNSUPPORTED-PAIR, unless what is missing is to be skipped. */
export function whatIsAsked({ quantities, entries, loss, trace, onMissing }: PlanRequest, graph: Graph): Asked {
  const context = {
    graph,
    loss,
    entries,
    nameOf: (parameter: Parameter) => trace.names.get(parameter) ?? 'a parameter',
  };
  const known = new Map<FormedQuantity, readonly MissingPair[]>();
  const missingOf = (quantity: FormedQuantity): readonly MissingPair[] => {
    const pairs = known.get(quantity) ?? missingPairs(quantity, context);
    known.set(quantity, pairs);
    return pairs;
  };
  const wanted = Object.entries(quantities);
  const missing = wanted.flatMap(([, quantity]) => missingOf(quantity));
  if (missing.length > 0 && onMissing === 'error') throw unsupported(missing);
  const isWhole = (quantity: FormedQuantity): boolean => missingOf(quantity).every((pair) => pair.parameter);
  const asked = wanted.filter(([, quantity]) => isWhole(quantity));
  return {
    quantities: asked,
    products: [...new Set(asked.flatMap(([, quantity]) => (quantity.by === 'product' ? [quantity.mode] : [])))],
    signals: asked.flatMap(([, quantity]) => signalsOf(quantity)),
    missing,
    missingOf,
  };
}

export function signalsOf(quantity: FormedQuantity): readonly Signal[] {
  if (quantity.by === 'product') return [];
  return quantity.by === 'derived' ? Object.values(quantity.from).flatMap(signalsOf) : [quantity.signal];
}
