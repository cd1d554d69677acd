import type { Draw } from '@gradpack/testkit';

/** A view of a buffer: element i lies at `offset + Σ iₐ stridesₐ`, and all lie within `length`. */
export interface Layout {
  readonly strides: readonly number[];
  readonly offset: number;
  readonly length: number;
}

/** Whole numbers: sums and products of them are exact in float32, so that any difference between two backends is a mistake. */
export const wholes = (draw: Draw, length: number, most = 2): Float64Array =>
  Float64Array.from({ length }, () => draw.whole(-most, most));

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export const shapeOf = (draw: Draw, axes: number, most: number): number[] =>
  Array.from({ length: axes }, () => draw.whole(1, most));

function shuffled<T>(draw: Draw, items: readonly T[]): T[] {
  const order = [...items];
  for (let i = order.length; i-- > 1; ) {
    const j = draw.whole(0, i);
    [order[i], order[j]] = [order[j] as T, order[i] as T];
  }
  return order;
}

/**
 * Axes in any order, some backwards, some with gaps between; with `broadcast` some of stride 0 (elements then coincide, which only
 * reads may). Often it is plain row-major, which kernels treat apart.
 */
export function layoutOf(draw: Draw, shape: readonly number[], { broadcast = false, plain = false } = {}): Layout {
  const row = plain || draw.whole(0, 2) === 0;
  const axes = shape.map((_, axis) => axis).reverse();
  const strides = shape.map(() => 0);
  let step = row ? 1 : draw.whole(1, 2);
  let low = 0;
  let high = 0;
  for (const axis of row ? axes : shuffled(draw, axes)) {
    const extent = shape[axis] as number;
    if (broadcast && draw.whole(0, 4) === 0) continue;
    const stride = !row && draw.whole(0, 3) === 0 ? -step : step;
    strides[axis] = stride;
    if (stride < 0) low += (extent - 1) * stride;
    else high += (extent - 1) * stride;
    step = step * extent + (row ? 0 : draw.whole(0, 2));
  }
  const before = plain ? 0 : draw.whole(0, 3);
  return { strides, offset: before - low, length: before - low + high + 1 + (plain ? 0 : draw.whole(0, 2)) };
}
