import type { NetSpec } from '../net-spec.js';
import { linear } from './dense-blocks.js';
import { crossEntropy, squaredError } from './losses.js';
import type { NetBuilder } from './net-builder.js';

/** From features to a loss. */

/** Flattened, to a few outputs. */
export function flatHead(net: NetBuilder, x: string): NetSpec {
  const outputs = linear(net, net.node({ op: 'flatten' }, x), net.draw.whole(2, 4));
  return net.draw.chance(0.6) ? crossEntropy(net, outputs) : squaredError(net, outputs);
}

/** Scores [N, …positions, C]: the classes become axis 1. */
export function positionsHead(net: NetBuilder, scores: string): NetSpec {
  if (net.draw.chance(0.3)) return squaredError(net, scores);
  const axes = [...net.shape(scores).keys()];
  const classesFirst = [0, axes.length - 1, ...axes.slice(1, -1)];
  return crossEntropy(net, axes.length === 2 ? scores : net.node({ op: 'permute', axes: classesFirst }, scores));
}
