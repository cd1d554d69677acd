import type { TypedArray } from '@gradpack/core';

/**
 * A strided view read or written in the row-major order of its shape, a block of consecutive elements at a time. Axes of extent 1
 * are dropped and axes that follow each other in memory merged, so that a contiguous or constant view is a single run.
 */
export interface Lanes {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

export function lanesOf(shape: readonly number[], strides: readonly number[]): Lanes {
  const merged: { extent: number; stride: number }[] = [];
  for (let axis = 0; axis < shape.length; axis++) {
    const extent = shape[axis] as number;
    const stride = strides[axis] as number;
    const last = merged.at(-1);
    if (extent === 1) continue;
    if (last && last.stride === extent * stride) {
      last.extent *= extent;
      last.stride = stride;
    } else merged.push({ extent, stride });
  }
  if (merged.length === 0) merged.push({ extent: 1, stride: 0 });
  return { shape: merged.map((a) => a.extent), strides: merged.map((a) => a.stride) };
}

/** Calls `run(position of the first element, stride, its place in the block, elements)` for each piece of a row that a block meets. */
function visitRuns(
  { shape, strides }: Lanes,
  start: number,
  count: number,
  run: (position: number, stride: number, at: number, length: number) => void,
): void {
  const inner = shape.length - 1;
  const extent = shape[inner] as number;
  const stride = strides[inner] as number;
  if (inner === 0) {
    run(start * stride, stride, 0, count);
    return;
  }
  let done = 0;
  while (done < count) {
    const flat = start + done;
    const within = flat % extent;
    let position = within * stride;
    let rest = Math.floor(flat / extent);
    for (let axis = inner - 1; axis >= 0; axis--) {
      const size = shape[axis] as number;
      position += (rest % size) * (strides[axis] as number);
      rest = Math.floor(rest / size);
    }
    const length = Math.min(count - done, extent - within);
    run(position, stride, done, length);
    done += length;
  }
}

/** `to[i] = element start + i`. */
export function load(lanes: Lanes, from: TypedArray, at: number, start: number, count: number, to: Float64Array): void {
  visitRuns(lanes, start, count, (position, stride, first, length) => {
    let p = at + position;
    const end = first + length;
    if (stride === 0) to.fill(from[p] as number, first, end);
    else if (stride === 1) for (let i = first; i < end; i++) to[i] = from[p++] as number;
    else for (let i = first; i < end; i++, p += stride) to[i] = from[p] as number;
  });
}

/** `element start + i (+)= from[i]`. */
export function store(
  lanes: Lanes,
  to: TypedArray,
  at: number,
  start: number,
  count: number,
  from: Float64Array,
  accumulate: boolean,
): void {
  visitRuns(lanes, start, count, (position, stride, first, length) => {
    let p = at + position;
    const end = first + length;
    if (accumulate) for (let i = first; i < end; i++, p += stride) to[p] = (to[p] as number) + (from[i] as number);
    else for (let i = first; i < end; i++, p += stride) to[p] = from[i] as number;
  });
}
