import type { Kernel, TypedArray } from '@gradpack/core';

/** An operand: its whole buffer, since strides may be negative, and where it starts. */
export interface Place {
  readonly data: TypedArray;
  readonly at: number;
}

/** Runs one call. The interpreter resolves `reads` and `writes`; sums are taken in float64 whatever the storage is. */
export type CpuKernel<Name extends keyof Kernel> = (
  spec: Kernel[Name],
  reads: readonly Place[],
  writes: readonly Place[],
) => void;

/** Operand `index` of a call; programs name no others. */
export function operand(places: readonly Place[], index: number): Place {
  return places[index] as Place;
}

/** Memory that a kernel makes for itself. */
export type Workspace = Float64Array<ArrayBuffer>;
