import { bytesPerElement, type Dtype, GradPackError, type TypedArray, typedArray } from '@gradpack/core';

/** Typed arrays for reuse, by type and rounded length. */
export interface ArrayPool {
  /** An array of at least `length` elements; its content is whatever was there. Throws GRADPACK-OUT-OF-MEMORY. */
  take(dtype: Dtype, length: number, where: string): TypedArray;
  give(array: TypedArray): void;
  readonly bytes: number;
  /** Lets go of everything; what is given later is not kept. */
  close(): void;
}

/** `capacity`: pooled bytes beyond which arrays are left to the garbage collector. */
export function arrayPool(capacity: number): ArrayPool {
  const free = new Map<string, TypedArray[]>();
  let bytes = 0;
  let closed = false;
  const listOf = (dtype: string, length: number): TypedArray[] => {
    const key = `${dtype} ${length}`;
    const list = free.get(key) ?? [];
    free.set(key, list);
    return list;
  };
  return {
    take(dtype, length, where) {
      const bucket = bucketOf(length);
      const array = listOf(dtype, bucket).pop();
      if (array) {
        bytes -= array.byteLength;
        return array;
      }
      try {
        return typedArray(dtype, bucket);
      } catch (cause) {
        throw outOfMemory(where, length * bytesPerElement(dtype), cause);
      }
    },
    give(array) {
      if (closed || bytes + array.byteLength > capacity) return;
      bytes += array.byteLength;
      listOf(dtypeOf(array), array.length).push(array);
    },
    get bytes() {
      return bytes;
    },
    close() {
      closed = true;
      free.clear();
      bytes = 0;
    },
  };
}

export function dtypeOf(array: TypedArray): Dtype {
  return array instanceof Int32Array ? 'int32' : array instanceof Float32Array ? 'float32' : 'float64';
}

/** The next length of the form m·2^e with 4 ≤ m < 8: at most a quarter is unused. */
export function bucketOf(length: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, length))) - 2);
  return Math.ceil(Math.max(1, length) / step) * step;
}

/** `what`: bytes, or what they were for. */
export function outOfMemory(where: string, what: number | string, cause?: unknown): GradPackError {
  const got = typeof what === 'number' ? `${what} bytes` : what;
  return new GradPackError('GRADPACK-OUT-OF-MEMORY', `the cpu has no memory for ${got}`, {
    where,
    expected: 'a size that the memory of this machine and the runtime allow',
    got,
    fix: 'use smaller batches, fewer results for each sample or a smaller memoryLimit, and dispose steps that are not read any more',
    ...(typeof what === 'number' ? { detail: { bytes: what } } : {}),
    ...(cause === undefined ? {} : { cause }),
  });
}
