import { type Shape, showShape, stridesOf } from '../tensor/shape.js';
import { constant, coordinate, type Expression } from './expression.js';
import { replaceLeaves } from './replace-leaves.js';

/** The common shape of several, aligned at the last axis; extents of 1 stretch. */
export function broadcastShape(shapes: readonly Shape[]): Shape {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const extents = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    const extent = extents.find((e) => e !== 1) ?? 1;
    if (extents.some((e) => e !== 1 && e !== extent))
      throw new RangeError(`shapes do not broadcast: ${shapes.map(showShape).join(', ')}`);
    return extent;
  });
}

/** Strides that read a contiguous tensor of `from` as if it had shape `to`. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const strides = stridesOf(from);
  const lead = to.length - from.length;
  if (lead < 0) throw new RangeError(`${showShape(from)} does not broadcast to ${showShape(to)}`);
  return to.map((extent, axis) => {
    const own = from[axis - lead];
    if (own === undefined || (own === 1 && extent !== 1)) return 0;
    if (own !== extent) throw new RangeError(`${showShape(from)} does not broadcast to ${showShape(to)}`);
    return strides[axis - lead] as number;
  });
}

export interface Loops {
  readonly shape: Shape;
  readonly lanes: readonly Shape[];
  /** New number of each old axis, or −1 where its extent is 1. */
  readonly axes: readonly number[];
}

/** Fewer, longer loops over the same entries: drops extents of 1 and joins axes that every lane walks contiguously. `pinned` axes stay apart. */
export function collapse(shape: Shape, lanes: readonly Shape[], pinned: ReadonlySet<number>): Loops {
  const extents: number[] = [];
  const strides: number[][] = lanes.map(() => []);
  const axes: number[] = [];
  let previousPinned = true;
  shape.forEach((extent, axis) => {
    if (extent === 1) {
      axes.push(-1);
      return;
    }
    const last = extents.length - 1;
    const isPinned = pinned.has(axis);
    const joins =
      !isPinned && !previousPinned && lanes.every((lane, i) => strides[i]?.[last] === (lane[axis] as number) * extent);
    if (joins) {
      extents[last] = (extents[last] as number) * extent;
      lanes.forEach((lane, i) => {
        (strides[i] as number[])[last] = lane[axis] as number;
      });
    } else {
      extents.push(extent);
      lanes.forEach((lane, i) => {
        strides[i]?.push(lane[axis] as number);
      });
    }
    axes.push(extents.length - 1);
    previousPinned = isPinned;
  });
  if (extents.length === 0) {
    extents.push(1);
    for (const lane of strides) lane.push(0);
  }
  return { shape: extents, lanes: strides, axes };
}

/** The axes whose coordinate an expression reads. */
export function coordinatesOf(e: Expression): Set<number> {
  const found = new Set<number>();
  replaceLeaves(e, (leaf) => {
    if (leaf.op === 'coordinate') found.add(leaf.axis);
    return leaf;
  });
  return found;
}

/** The expression with axes renumbered; the coordinate of a dropped axis is 0. */
export function renumberAxes(e: Expression, axes: readonly number[]): Expression {
  return replaceLeaves(e, (leaf) => {
    if (leaf.op !== 'coordinate') return leaf;
    const axis = axes[leaf.axis] ?? -1;
    return axis < 0 ? constant(0) : coordinate(axis);
  });
}
