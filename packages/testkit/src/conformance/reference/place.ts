import type { Kernel, TypedArray } from '@gradpack/core';

/** An operand: its whole buffer and where it starts. */
export interface Place {
  readonly data: TypedArray;
  readonly at: number;
}

export type ReferenceKernel<Name extends keyof Kernel> = (
  spec: Kernel[Name],
  reads: readonly Place[],
  writes: readonly Place[],
) => void;

/** The element at `index` after the operand's start; a read outside the buffer is a defect of the program. */
export function get(places: readonly Place[], operand: number, index: number): number {
  const place = places[operand];
  const value = place?.data[place.at + index];
  if (value === undefined) throw new Error(`operand ${operand} is read at ${index}, outside its buffer`);
  return value;
}

export function set(places: readonly Place[], operand: number, index: number, value: number): void {
  const place = places[operand];
  if (!place || place.at + index < 0 || place.at + index >= place.data.length)
    throw new Error(`operand ${operand} is written at ${index}, outside its buffer`);
  place.data[place.at + index] = value;
}

/** `(+)=`. */
export function put(
  places: readonly Place[],
  operand: number,
  index: number,
  value: number,
  accumulate: boolean,
): void {
  set(places, operand, index, accumulate ? get(places, operand, index) + value : value);
}

/** `(+)=` of a contiguous result. */
export function putAll(places: readonly Place[], operand: number, values: Float64Array, accumulate: boolean): void {
  for (const [i, value] of values.entries()) put(places, operand, i, value, accumulate);
}

/** All index vectors of a shape, in row-major order. */
export function* indicesOf(shape: readonly number[]): Generator<readonly number[]> {
  const index = shape.map(() => 0);
  for (;;) {
    yield index;
    let axis = shape.length - 1;
    for (; axis >= 0; axis--) {
      const next = (index[axis] as number) + 1;
      index[axis] = next === shape[axis] ? 0 : next;
      if (index[axis] !== 0) break;
    }
    if (axis < 0) return;
  }
}

export function dot(index: readonly number[], strides: readonly number[]): number {
  return index.reduce((sum, i, axis) => sum + i * (strides[axis] as number), 0);
}
