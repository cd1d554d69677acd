import type { FormedQuantity } from '../quantity/quantity.js';
import { gradient as gradientSignal } from '../signal/signals.js';
import type { Source } from '../signal/source.js';
import type { Asked } from './asked.js';
import type { Target } from './extraction.js';

/** Who takes what arrives at parameters. */
export interface Targets {
  readonly all: readonly Target[];
  /** The gradient's own, empty where it was not asked for. */
  readonly gradient: Target;
  /** Those that also read columns born inside the net. */
  readonly inside: readonly Target[];
  /** Those that read columns of a source. */
  of(source: Source): readonly Target[];
  /** The target of a quantity that is no product and not derived. */
  at(quantity: FormedQuantity): Target;
}

const GRADIENT = {
  by: 'reduction',
  name: 'gradient',
  key: 'gradient',
  signal: gradientSignal,
  reduce: { over: 'all' },
} as Target['quantity'];

/** One target for each distinct quantity and part of a derived one. */
export function targetsOf(
  { quantities, missingOf }: Asked,
  wantsGradient: boolean,
  sources: ReadonlyMap<string, Source>,
): Targets {
  const byKey = new Map<string, Target>();
  const add = (quantity: FormedQuantity): void => {
    if (quantity.by === 'product') return;
    if (quantity.by === 'derived') {
      Object.values(quantity.from).forEach(add);
      return;
    }
    if (byKey.has(quantity.key)) return;
    const { V } = sources.get(quantity.signal.key) as Source;
    const skips = new Set(missingOf(quantity).flatMap((pair) => pair.parameter ?? []));
    byKey.set(quantity.key, { quantity, V, results: new Map(), skips });
  };
  for (const [, quantity] of quantities) add(quantity);

  const gradient: Target = { quantity: GRADIENT, V: 1, results: new Map(), skips: new Set() };
  const all = wantsGradient ? [gradient, ...byKey.values()] : [...byKey.values()];
  const inside = all.filter(({ quantity }) => quantity.signal.inside);
  const bySource = new Map(
    [...sources].map(([key, source]) => [source, all.filter(({ quantity }) => quantity.signal.key === key)]),
  );
  return {
    all,
    gradient,
    inside,
    of: (source) => bySource.get(source) ?? inside,
    at: ({ key }) => byKey.get(key) as Target,
  };
}
