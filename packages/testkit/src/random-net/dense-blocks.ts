import { at } from '../truth/positions.js';
import type { Block } from './block.js';
import type { NetBuilder, Operation } from './net-builder.js';
import { activation, boundedActivation, dropout, merged, scaled } from './pointwise-blocks.js';
import { slicedBranches, squaredBranches } from './view-blocks.js';

/** Blocks that act on the last axis. */
export const DENSE_BLOCKS: readonly Block[] = [
  (net, x) => activation(net, linear(net, x, net.draw.whole(2, 4))),
  tiedInSequence,
  tiedInParallel,
  residual,
  product,
  slicedBranches,
  squaredBranches,
  dropout,
  scaled,
];

export function linear(net: NetBuilder, x: string, outputs: number): string {
  return net.node(linearLayer(net, width(net, x), outputs), x);
}

function linearLayer(net: NetBuilder, inputs: number, outputs: number): Operation {
  const weight = net.parameter('weight', [outputs, inputs]);
  const bias = net.draw.chance(0.7) ? { bias: net.parameter('bias', [outputs]) } : {};
  return { op: 'linear', parameters: { weight, ...bias } };
}

function width(net: NetBuilder, x: string): number {
  const shape = net.shape(x);
  return at(shape, shape.length - 1);
}

function tiedInSequence(net: NetBuilder, x: string): string {
  const layer = linearLayer(net, width(net, x), width(net, x));
  return activation(net, net.node(layer, boundedActivation(net, net.node(layer, x))));
}

function tiedInParallel(net: NetBuilder, x: string): string {
  const layer = linearLayer(net, width(net, x), net.draw.whole(2, 3));
  return merged(net, net.node(layer, x), net.node(layer, boundedActivation(net, x)));
}

function residual(net: NetBuilder, x: string): string {
  return net.node({ op: 'add' }, activation(net, linear(net, x, width(net, x))), x);
}

function product(net: NetBuilder, x: string): string {
  const outputs = net.draw.whole(2, 3);
  const gate = net.node({ op: 'sigmoid' }, linear(net, x, outputs));
  return net.node({ op: 'mul' }, gate, activation(net, linear(net, x, outputs)));
}
