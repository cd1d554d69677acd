import type { NetSpec } from '../net-spec.js';
import { forward, valueNamed } from './forward.js';
import type { HyperDuals } from './hyper-dual.js';
import { liveNodes } from './live-nodes.js';
import type { NodeOf } from './node-of.js';
import { poolWindows } from './operations/pool-windows.js';
import { at } from './positions.js';

/**
 * How near this forward pass comes to a point without derivative: the smallest of all |inputs of ReLU| and of all gaps
 * between the largest and the second largest entry of a max-pooling window. Infinity where there is neither.
 */
export function nearKink(net: NetSpec): number {
  const values = forward(net);
  let nearest = Number.POSITIVE_INFINITY;
  for (const node of liveNodes(net)) {
    const x = valueNamed(values, at(node.inputs, 0));
    if (node.op === 'relu') nearest = x.value.reduce((least, entry) => Math.min(least, Math.abs(entry)), nearest);
    if (node.op === 'maxPool2d') nearest = Math.min(nearest, smallestGap(node, x));
  }
  return nearest;
}

function smallestGap(node: NodeOf<'maxPool2d'>, x: HyperDuals): number {
  const [samples = 0, channels = 0, height = 0, width = 0] = x.shape;
  const { windows } = poolWindows(node, [height, width]);
  let smallest = Number.POSITIVE_INFINITY;
  for (let plane = 0; plane < samples * channels; plane++) {
    for (const { positions } of windows) {
      const entries = positions.map((position) => at(x.value, plane * height * width + position));
      const [largest, second] = entries.toSorted((a, b) => b - a);
      if (largest !== undefined && second !== undefined) smallest = Math.min(smallest, largest - second);
    }
  }
  return smallest;
}
