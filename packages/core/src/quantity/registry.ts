import type { Use } from '../derivatives/use.js';
import { GradPackError } from '../errors/gradpack-error.js';
import type { Carry, Layer, UsesOf } from '../module/layer.js';
import {
  type AnyRule,
  type FormedQuantity,
  formed,
  type Quantity,
  type QuantityKind,
  type QuantityName,
  type Recorded,
  type Rule,
  type ValueOf,
} from './quantity.js';

/** `kfac of conv2d.matrix` */
export type Pair<Name extends string, Subject extends string> = `${Name} of ${Subject}`;

/** Rules for one layer or its own use kinds. `Covers` is contravariant, so that no annotation can promise more than there is. */
export interface RuleSet<Covers extends string = never> {
  readonly '~covers'?: (pair: Covers) => void;
  readonly entries: ReadonlyMap<string, RuleEntry>;
}

export interface RuleEntry {
  readonly rule: AnyRule;
  readonly override: boolean;
}

/** Names a layer by its type alone, so that its code stays out of the bundle. */
export interface LayerKind<L extends Layer> {
  readonly kind: L['kind'];
  readonly '~layer'?: L;
}
/**
 * A layer named by its type and kind, for `rulesFor`.
 *
 * @example
 * const kind = layerKind<Linear>('linear');
 */
export function layerKind<L extends Layer>(kind: L['kind']): LayerKind<L> {
  return { kind };
}

/**
 * How to compute a quantity for the uses of one layer: wins over the quantity's own rules, which hold for the uses left out.
 *
 * @throws GRADPACK-DUPLICATE-PAIR from `registry` where another rule has the same pair, unless `override`
 */
export function rulesFor<L extends Layer, Q extends Quantity, K extends UsesOf<L>['kind']>(
  layer: LayerKind<L>,
  quantity: QuantityName<Q>,
  table: { readonly [P in K]: Rule<Recorded<ValueOf<Q>>, Extract<UsesOf<L>, { readonly kind: P }>> },
  options: { readonly override?: boolean } = {},
): RuleSet<Pair<Q['name'], `${L['kind']}.${K}`>> {
  const override = options.override ?? false;
  const entries = Object.entries<AnyRule>(table).map(
    ([use, rule]) => [`${quantity.quantity} of ${layer.kind}.${use}`, { rule, override }] as const,
  );
  return { entries: new Map(entries) };
}

/** The layers that a package brings. */
export interface LayerSet<L extends Layer = Layer> {
  readonly layers: readonly L[];
}
/** @param layers one example of each kind */
export function layerSet<const L extends readonly Layer[]>(...layers: L): LayerSet<L[number]> {
  return { layers };
}

/** The quantities that a package brings. */
export interface QuantitySet<Q extends Quantity = Quantity> {
  readonly quantities: readonly Q[];
}
/** @param kinds the factories; each is called without options once */
export function quantitySet<const K extends readonly QuantityKind<Quantity, never>[]>(
  ...kinds: K
): QuantitySet<ReturnType<K[number]>> {
  return { quantities: kinds.map((kind) => (kind as unknown as () => ReturnType<K[number]>)()) };
}

export type RegistryPart = LayerSet | QuantitySet | RuleSet<never>;

/** What computes a pair: `reduction`, `rules` (with whose), …, or why there is none. */
export type Support =
  | { readonly supported: true; readonly by: string; readonly from: string }
  | { readonly supported: false; readonly reason: string };

/**
 * Knows every pair of its layers and quantities. What also depends on the net (a parameter of a curved use that is trained, or used as
 * two kinds) is known to its plan alone.
 */
export interface Registry<L extends Layer = Layer, Q extends Quantity = Quantity, Covers extends string = string> {
  readonly '~covers'?: (pair: Covers) => void;
  readonly '~layers'?: L;
  readonly '~quantities'?: Q;
  readonly entries: ReadonlyMap<string, RuleEntry>;
  readonly layers: readonly L[];
  readonly quantities: readonly Q[];
  lookup(layerKind: L['kind'], quantityName: Q['name']): Support;
  pairs(): readonly { readonly layer: L['kind']; readonly quantity: Q['name']; readonly support: Support }[];
}

type LayersIn<P> = P extends LayerSet<infer L> ? L : never;
type QuantitiesIn<P> = P extends QuantitySet<infer Q> ? Q : never;
type CoversIn<P> = P extends {
  readonly entries: ReadonlyMap<string, RuleEntry>;
  readonly '~covers'?: (pair: infer C) => void;
}
  ? C
  : never;

/**
 * Merges layer sets, quantity sets, rule sets and registries.
 *
 * @throws GRADPACK-DUPLICATE-PAIR where a layer kind, quantity or rule is given twice with different content
 * @example
 * const table = registry(layers, firstOrder, secondOrder, fourierRules);
 * table.lookup('conv2d', 'kfac'); // { supported: true, by: 'rules', from: 'kfac' }
 * const net = await extend(model, loss, { backend, registry: table });
 */
export function registry<const P extends readonly RegistryPart[]>(
  ...parts: P
): Registry<LayersIn<P[number]>, QuantitiesIn<P[number]>, CoversIn<P[number]> & string> {
  const layers = new Map<string, Layer>();
  const quantities = new Map<string, Quantity>();
  const entries = new Map<string, RuleEntry>();
  for (const part of parts) {
    if ('layers' in part)
      for (const layer of part.layers) {
        if ((layers.get(layer.kind) ?? layer) !== layer) throw duplicate(`layer ${layer.kind}`);
        layers.set(layer.kind, layer);
      }
    if ('quantities' in part)
      for (const quantity of part.quantities) {
        if ((quantities.get(quantity.name) ?? quantity).key !== quantity.key)
          throw duplicate(`quantity ${quantity.name}`);
        quantities.set(quantity.name, quantity);
      }
    if ('entries' in part) mergeRules(entries, part);
  }
  const lookup = (kind: string, name: string): Support => {
    const layer = layers.get(kind);
    const quantity = quantities.get(name);
    if (!layer) return { supported: false, reason: `no layer ${kind} is registered` };
    if (!quantity) return { supported: false, reason: `no quantity ${name} is registered` };
    return support(layer, formed(quantity), entries);
  };
  return {
    entries,
    layers: [...layers.values()],
    quantities: [...quantities.values()],
    lookup,
    pairs: () =>
      [...layers.keys()].flatMap((layer) =>
        [...quantities.keys()].map((quantity) => ({ layer, quantity, support: lookup(layer, quantity) })),
      ),
  } as unknown as Registry<LayersIn<P[number]>, QuantitiesIn<P[number]>, CoversIn<P[number]> & string>;
}

function mergeRules(into: Map<string, RuleEntry>, { entries }: RuleSet<never>): void {
  for (const [pair, entry] of entries) {
    const before = into.get(pair) ?? entry;
    if (before !== entry && !before.override && !entry.override) throw duplicate(`rule for ${pair}`);
    if (entry.override || !before.override) into.set(pair, entry);
  }
}

function duplicate(what: string): GradPackError {
  return new GradPackError('GRADPACK-DUPLICATE-PAIR', `there is a second ${what}`, {
    where: 'registry',
    expected: 'each layer, quantity and rule once',
    got: `two of ${what}, with different content`,
    fix: 'leave one out, or pass { override: true } with the rule that is to win',
  });
}

/** The rule of a quantity for a use, the layer's own first. */
export function findRule(
  entries: ReadonlyMap<string, RuleEntry>,
  layer: Layer,
  use: string,
  quantity: FormedQuantity,
): AnyRule | undefined {
  const own = entries.get(`${quantity.name} of ${layer.kind}.${use}`)?.rule;
  return own ?? (quantity.by === 'rules' ? quantity.rules[use] : undefined);
}

/** What a quantity needs every layer and the loss to carry. */
export function needsOf(quantity: FormedQuantity): readonly Carry[] {
  switch (quantity.by) {
    case 'product':
      return ['product'];
    case 'derived':
      return [...new Set(Object.values(quantity.from).flatMap(needsOf))];
    default:
      return [quantity.signal.needs];
  }
}

function support(layer: Layer, quantity: FormedQuantity, entries: ReadonlyMap<string, RuleEntry>): Support {
  for (const need of needsOf(quantity))
    if (!layer.carries.includes(need) && !layer.expand)
      return { supported: false, reason: `${quantity.name} needs ${need} through ${layer.kind}` };
  if (quantity.by === 'derived')
    for (const part of Object.values(quantity.from)) {
      const found = support(layer, part, entries);
      if (!found.supported) return found;
    }
  if (quantity.by !== 'rules') return { supported: true, by: quantity.by, from: quantity.name };
  for (const use of layer.uses)
    if (!findRule(entries, layer, use, quantity))
      return { supported: false, reason: `no rule for ${quantity.name} of ${layer.kind}.${use}` };
  const own = layer.uses.some((use) => entries.has(`${quantity.name} of ${layer.kind}.${use}`));
  return { supported: true, by: 'rules', from: own ? layer.kind : quantity.name };
}

/** `Supports<typeof table, 'conv2d', 'kfac'>`: true where every use of the layer has a rule and the layer carries what is needed. */
export type Supports<R, Kind extends string, Name extends string> =
  R extends Registry<infer L, infer Q, infer Covers>
    ? [Missing<Extract<L, { readonly kind: Kind }>, Extract<Q, { readonly name: Name }>, Covers>] extends [never]
      ? true
      : false
    : never;

/** What is missing for a quantity in layers, as text; never where nothing is. Kinds known only as `string` are left to the run-time check. */
export type Missing<L, Q, Covers extends string> = MissingRule<L, Q, Covers> | MissingCarry<L, Q>;

type MissingRule<L, Q, Covers extends string> =
  L extends Layer<infer Kind, infer U>
    ? Q extends { readonly name: infer Name extends string; readonly '~kinds'?: infer Kinds }
      ? string extends Kind | Name | Kinds
        ? never
        : U extends Use
          ? U['kind'] extends Kinds
            ? never
            : Pair<Name, `${Kind}.${U['kind']}`> extends Covers
              ? never
              : `no rule for ${Pair<Name, `${Kind}.${U['kind']}`>}`
          : never
      : never
    : never;

type MissingCarry<L, Q> =
  L extends Layer<infer Kind, Use, infer C>
    ? Q extends { readonly name: infer Name extends string; readonly '~needs'?: infer Needs extends Carry }
      ? string extends Kind | Name
        ? never
        : Needs extends C
          ? never
          : `${Name} needs ${Needs} through ${Kind}`
      : never
    : never;
