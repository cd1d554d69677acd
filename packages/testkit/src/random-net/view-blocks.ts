import { at } from '../truth/positions.js';
import type { NetBuilder } from './net-builder.js';
import { merged } from './pointwise-blocks.js';

/** Blocks whose branches are permutations or slices of one value. */

/** x and x with two axes of equal length swapped, or both swapped. */
export function transposedBranches(net: NetBuilder, x: string): string {
  const axes = equalAxes(net.shape(x));
  if (!axes) return x;
  const swapped = { op: 'permute', axes } as const;
  const first = net.draw.chance(0.5) ? net.node(swapped, x) : x;
  return merged(net, first, net.node(swapped, x));
}

/** The value's last axis as a square, if it is one of 4 entries, and as a line again. */
export function squaredBranches(net: NetBuilder, x: string): string {
  const shape = net.shape(x);
  if (shape.at(-1) !== 4) return transposedBranches(net, x);
  const square = net.node({ op: 'reshape', shape: [...shape.slice(1, -1), 2, 2] }, x);
  const y = transposedBranches(net, square);
  const [rows = 1, columns = 1] = net.shape(y).slice(-2);
  return net.node({ op: 'reshape', shape: [...net.shape(y).slice(1, -2), rows * columns] }, y);
}

/** Two overlapping or interleaved parts of one axis. */
export function slicedBranches(net: NetBuilder, x: string): string {
  const shape = net.shape(x);
  const axis = net.draw.whole(1, shape.length - 1);
  const extent = at(shape, axis);
  if (extent < 2) return x;
  if (extent % 2 === 0 && net.draw.chance(0.5)) {
    const even = net.node({ op: 'slice', axis, start: 0, stop: extent, step: 2 }, x);
    return merged(net, even, net.node({ op: 'slice', axis, start: 1, stop: extent, step: 2 }, x));
  }
  const stop = net.draw.whole(1, extent - 1);
  const head = net.node({ op: 'slice', axis, start: 0, stop }, x);
  return merged(net, head, net.node({ op: 'slice', axis, start: extent - stop, stop: extent }, x));
}

/** All axes with two of one length swapped; undefined where there are none. */
function equalAxes(shape: readonly number[]): readonly number[] | undefined {
  for (let a = 1; a < shape.length; a++) {
    const b = shape.indexOf(at(shape, a), a + 1);
    if (b > 0) return [...shape.keys()].with(a, b).with(b, a);
  }
  return undefined;
}
