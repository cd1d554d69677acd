import type { NetSpec } from '../net-spec.js';
import { evaluate } from '../truth/evaluate.js';
import { nearKink } from '../truth/near-kink.js';
import { elements } from '../truth/positions.js';
import { type Draw, drawFrom } from './draw.js';
import { FAMILIES } from './families.js';
import { netBuilder } from './net-builder.js';

const MAX_PARAMETERS = 120;
/** Per sample. */
const MAX_OUTPUTS = 12;
/** Nets whose outputs grow are hard to compare in float32. */
const MAX_OUTPUT = 20;
const MIN_KINK_DISTANCE = 1e-3;

/**
 * A small net over all operations: branches, ties, frozen parameters, both losses. A function of the uniform numbers
 * alone. Nets that are too large, have nothing to train or come near a kink are drawn again.
 */
export function randomNet(random: () => number): NetSpec {
  const draw = drawFrom(random);
  for (;;) {
    const net = withFrozenParameters(draw.pick(FAMILIES)(netBuilder(draw)), draw);
    if (isSmall(net) && isTrainable(net) && nearKink(net) > MIN_KINK_DISTANCE) return net;
  }
}

function withFrozenParameters(net: NetSpec, draw: Draw): NetSpec {
  const parameters = Object.entries(net.parameters).map(([name, parameter]) => [
    name,
    { ...parameter, trainable: !draw.chance(0.15) },
  ]);
  return { ...net, parameters: Object.fromEntries(parameters) };
}

function isTrainable(net: NetSpec): boolean {
  return Object.values(net.parameters).some(({ trainable }) => trainable);
}

function isSmall(net: NetSpec): boolean {
  const parameters = Object.values(net.parameters).reduce((sum, { shape }) => sum + elements(shape), 0);
  if (parameters > MAX_PARAMETERS) return false;
  const { output } = evaluate(net);
  return elements(output.shape.slice(1)) <= MAX_OUTPUTS && output.data.every((y) => Math.abs(y) <= MAX_OUTPUT);
}
