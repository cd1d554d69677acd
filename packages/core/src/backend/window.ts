import type { Shape } from '../tensor/shape.js';

/**
 * How a convolution or a pooling reads its input, for any number of spatial axes. Kernel offset k and output position t are
 * row-major indices over `kernel` and `output`; per axis
 *
 * - `transposed: false`: `p = t·stride − low + k·dilation`, mapped into the input by `mode` where it lies outside;
 * - `transposed: true`:  `p = (t + low − k·dilation) / stride`, where that is whole and inside the input.
 *
 * Positions without an input read 0 (pooling ignores them).
 */
export interface Window {
  readonly input: Shape;
  readonly kernel: Shape;
  readonly output: Shape;
  readonly stride: Shape;
  readonly dilation: Shape;
  readonly low: Shape;
  readonly transposed: boolean;
  readonly mode: 'zeros' | 'reflect' | 'replicate' | 'circular';
}

/** Position along one axis that output `t` reads at kernel offset `k`; −1 where there is none. */
export function positionAlong(window: Window, axis: number, k: number, t: number): number {
  const extent = window.input[axis] as number;
  const stride = window.stride[axis] as number;
  const low = window.low[axis] as number;
  const reach = k * (window.dilation[axis] as number);
  if (window.transposed) {
    const scaled = t + low - reach;
    if (scaled < 0 || scaled % stride !== 0) return -1;
    return scaled / stride < extent ? scaled / stride : -1;
  }
  const p = t * stride - low + reach;
  if (p >= 0 && p < extent) return p;
  switch (window.mode) {
    case 'zeros':
      return -1;
    case 'circular':
      return ((p % extent) + extent) % extent;
    case 'replicate':
      return p < 0 ? 0 : extent - 1;
    case 'reflect':
      return p < 0 ? -p : 2 * (extent - 1) - p;
  }
}

const tables = new WeakMap<Window, Int32Array>();

/** `table[k · T + t]`: the flat input position read by output `t` at kernel offset `k`, or −1. Cached per window. */
export function positionTable(window: Window): Int32Array {
  const cached = tables.get(window);
  if (cached) return cached;
  const axes = window.input.length;
  const K = window.kernel.reduce((a, b) => a * b, 1);
  const T = window.output.reduce((a, b) => a * b, 1);
  const table = new Int32Array(K * T);
  const at = (flat: number, shape: Shape, axis: number): number => {
    const after = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    return Math.floor(flat / after) % (shape[axis] as number);
  };
  for (let k = 0; k < K; k++)
    for (let t = 0; t < T; t++) {
      let flat = 0;
      for (let axis = 0; axis < axes && flat >= 0; axis++) {
        const p = positionAlong(window, axis, at(k, window.kernel, axis), at(t, window.output, axis));
        flat = p < 0 ? -1 : flat * (window.input[axis] as number) + p;
      }
      table[k * T + t] = flat;
    }
  tables.set(window, table);
  return table;
}
