import { isCommonUse, type Use } from '../derivatives/use.js';
import type { Loss } from '../loss/loss.js';
import type { Carry, Layer } from '../module/layer.js';
import type { Parameter } from '../module/parameter.js';
import type { Node } from '../module/tape.js';
import type { FormedQuantity } from '../quantity/quantity.js';
import { findRule, needsOf, type RuleEntry } from '../quantity/registry.js';
import type { Graph } from './graph.js';

/** Why a quantity cannot be given, for the whole net or for one parameter. */
export interface MissingPair {
  readonly quantity: string;
  readonly parameter?: Parameter;
  readonly reason: string;
}

export interface MissingContext {
  readonly graph: Graph;
  readonly loss: Loss;
  readonly entries: ReadonlyMap<string, RuleEntry>;
  nameOf(parameter: Parameter): string;
}

const layerOf = (node: Node): Layer => node.origin ?? node.layer;

/** Everything that stands between a quantity and this net. */
export function missingPairs(quantity: FormedQuantity, context: MissingContext): readonly MissingPair[] {
  const { graph, loss, entries, nameOf } = context;
  const reached = graph.reach([graph.output]);
  const missing = (reason: string, parameter?: Parameter): MissingPair => ({
    quantity: quantity.name,
    reason,
    ...(parameter && { parameter }),
  });
  if (quantity.by === 'derived') {
    const parts = Object.values(quantity.from);
    const products = parts.filter((part) => part.by === 'product');
    return [
      ...products.map((part) =>
        missing(`${quantity.name} is made from ${part.name}, a product, which has no value per parameter`),
      ),
      ...parts.flatMap((part) => missingPairs(part, context)).map((pair) => ({ ...pair, quantity: quantity.name })),
    ];
  }
  const found: MissingPair[] = [];

  for (const need of needsOf(quantity)) {
    for (const node of reached)
      if (!node.layer.carries.includes(need))
        found.push(missing(`${quantity.name} needs ${need} through ${node.layer.kind}`));
    if (!loss.carries.includes(need)) found.push(missing(`${quantity.name} needs ${need} from ${loss.kind}`));
  }
  if (quantity.by !== 'product' && needsWholeSamples(quantity))
    for (const node of reached)
      if (node.layer.traits(node.mode).mixesSamples)
        found.push(
          missing(`${quantity.name} is not defined through ${node.layer.kind}, where samples influence each other`),
        );
  if (needsOf(quantity).some(isCurvature))
    for (const node of reached)
      for (const use of graph.at(node).uses)
        if (!isCommonUse(use) && use.curved && graph.isTrainable(use.parameter))
          found.push(
            missing(
              `${quantity.name} of ${nameOf(use.parameter)}: ${node.layer.kind} is not linear in it`,
              use.parameter,
            ),
          );
  if (
    scaleSign(loss) < 0 &&
    quantity.by !== 'product' &&
    quantity.signal.key !== 'gradient' &&
    needsRealFactor(quantity)
  )
    found.push(missing(`${quantity.name} needs a real factor of the loss Hessian, and the loss has a negative scale`));
  if (quantity.by !== 'product' && quantity.signal.inside && !isSumOfSquares(quantity))
    found.push(
      missing(
        `${quantity.name} reads the Hessian's columns, which have signs: only sums of their squares over the columns are defined`,
      ),
    );
  if (quantity.by === 'rules') {
    for (const parameter of graph.parameters()) {
      const uses = reached.flatMap((node) =>
        graph.at(node).uses.flatMap((use) => (use.parameter === parameter ? [{ node, use }] : [])),
      );
      const views = new Set(uses.map(({ use }) => viewOf(use)));
      if (views.size > 1)
        found.push(missing(`${quantity.name} of ${nameOf(parameter)}: used as ${[...views].join(' and ')}`, parameter));
      const rules = new Set(uses.map(({ node, use }) => findRule(entries, layerOf(node), use.kind, quantity)));
      if (views.size === 1 && rules.size > 1 && !rules.has(undefined))
        found.push(
          missing(
            `${quantity.name} of ${nameOf(parameter)}: shared by layers with different rules, ${[...new Set(uses.map(({ node }) => layerOf(node).kind))].join(' and ')}`,
            parameter,
          ),
        );
      for (const { node, use } of uses)
        if (!findRule(entries, layerOf(node), use.kind, quantity))
          found.push(
            missing(
              `no rule for ${quantity.name} of ${layerOf(node).kind}.${use.kind} (${nameOf(parameter)})`,
              parameter,
            ),
          );
    }
  }
  return found.filter((pair, i) => found.findIndex((other) => other.reason === pair.reason) === i);
}

const isCurvature = (need: Carry): boolean => need === 'curvature';

export function scaleSign(loss: Loss): number {
  return (loss.scale ?? 1) < 0 ? -1 : 1;
}

/** Whether the quantity is anything but a plain sum over the samples. */
function needsWholeSamples(quantity: FormedQuantity): boolean {
  return !(
    quantity.by === 'reduction' &&
    quantity.reduce.over === 'all' &&
    !quantity.reduce.square &&
    !quantity.reduce.norm &&
    !quantity.reduce.centred
  );
}

/** Whether the columns are used otherwise than squared with their weight. */
function needsRealFactor(quantity: FormedQuantity): boolean {
  return quantity.by !== 'reduction' || !(quantity.reduce.square || quantity.reduce.norm);
}

/** Whether the columns are squared with their weight and summed, which is all that signed columns are good for. */
function isSumOfSquares(quantity: FormedQuantity): boolean {
  if (quantity.by !== 'reduction') return false;
  const { over, square, norm, centred, samples } = quantity.reduce;
  return (over === 'all' || over === 'columns') && square === true && !norm && !centred && !samples;
}

function viewOf(use: Use): string {
  if (use.kind !== 'matrix' || !isCommonUse(use)) return use.kind;
  const { G, O, C, K, strides } = use.view;
  return `matrix [G = ${G}, O = ${O}, C = ${C}, K = ${K}] with strides ${Object.values(strides).join(', ')}`;
}
