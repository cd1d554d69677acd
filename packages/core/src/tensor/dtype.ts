/** Element types of tensors. A backend computes in one float type, its precision; int32 carries class and token ids. */
export type Dtype = 'float32' | 'float64' | 'int32';

/** Float type of a backend. */
export type Precision = 'float32' | 'float64';

/** Numbers of one dtype on the host. */
export type TypedArray = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

const ARRAYS = { float32: Float32Array, float64: Float64Array, int32: Int32Array } as const;

/** A zeroed typed array of `length` elements. */
export function typedArray(dtype: Dtype, length: number): TypedArray {
  return new ARRAYS[dtype](length);
}

/** A typed array that holds `values`, converted. */
export function typedArrayOf(dtype: Dtype, values: ArrayLike<number>): TypedArray {
  return ARRAYS[dtype].from(values);
}

/** 4 or 8. */
export function bytesPerElement(dtype: Dtype): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/** Whether something is a typed array of that type. */
export function isTypedArray(x: unknown, dtype: Dtype): x is TypedArray {
  return x instanceof ARRAYS[dtype];
}
