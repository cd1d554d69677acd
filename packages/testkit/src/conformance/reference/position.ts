import { positionAlong, type Window } from '@gradpack/core';

export function positions(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** The flat input position that output `t` reads at kernel offset `k`, −1 where there is none; axis by axis from the last. */
export function position(window: Window, k: number, t: number): number {
  let flat = 0;
  let stride = 1;
  let [offset, step] = [k, t];
  for (let axis = window.input.length - 1; axis >= 0; axis--) {
    const kernel = window.kernel[axis] as number;
    const output = window.output[axis] as number;
    const p = positionAlong(window, axis, offset % kernel, step % output);
    if (p < 0) return -1;
    flat += p * stride;
    stride *= window.input[axis] as number;
    offset = Math.floor(offset / kernel);
    step = Math.floor(step / output);
  }
  return flat;
}
