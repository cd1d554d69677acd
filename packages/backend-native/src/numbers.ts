import type { Dtype, TypedArray } from '@gradpack/core';

const ARRAYS = { float32: Float32Array, float64: Float64Array, int32: Int32Array } as const;

/** In the order of `Dtype` in `addon/dtype.h`. */
export const DTYPES: readonly Dtype[] = ['float32', 'float64', 'int32'];

/** The numbers as a typed array of that type: themselves where they are one, else a converted copy. */
export function numbersOf(dtype: Dtype, data: ArrayLike<number>): TypedArray {
  const Numbers = ARRAYS[dtype];
  return data instanceof Numbers ? (data as TypedArray) : copyOf(dtype, data);
}

/** A converted copy. */
export function copyOf(dtype: Dtype, data: ArrayLike<number>): TypedArray {
  return new ARRAYS[dtype](data);
}

/** Elements [offset, offset + length) of a buffer, all of it by default. */
export function arrayOn(buffer: ArrayBuffer, dtype: Dtype, offset = 0, length?: number): TypedArray {
  const Numbers = ARRAYS[dtype];
  return new Numbers(buffer, offset * Numbers.BYTES_PER_ELEMENT, length);
}
