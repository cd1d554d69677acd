import type { TypedArray } from '@gradpack/core';

/** Undefined memory made visible: NaN spreads through every result that reads it; no id, label or position is −1. */
export function poison(array: TypedArray, length: number = array.length): void {
  array.fill(array instanceof Int32Array ? -1 : Number.NaN, 0, length);
}
