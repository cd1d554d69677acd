import type { Kernel, KernelCall, Operand, Program, ProgramBuffer, TypedArray } from '@gradpack/core';
import { typedArray } from '@gradpack/core';
import { copy, fill, map, reduce } from './elementwise.js';
import { gram } from './gram.js';
import { checkFinite, clampIndices, gather, gatherRows, scatterAdd } from './indices.js';
import { outer } from './outer.js';
import type { Place, ReferenceKernel } from './place.js';
import { averagePool, averagePoolTransposed, convolve, convolveTransposed, gemm, maxPool } from './product.js';
import { categorical, random } from './random.js';

const KERNELS: { readonly [Name in keyof Kernel]: ReferenceKernel<Name> } = {
  fill,
  copy,
  map,
  reduce,
  gemm,
  convolve,
  convolveTransposed,
  maxPool,
  averagePool,
  averagePoolTransposed,
  gather,
  scatterAdd,
  gatherRows,
  random,
  categorical,
  clampIndices,
  checkFinite,
  outer,
  gram,
};

/**
 * Runs a program by the formulas of the kernels, term by term in float64: the truth that backends are compared with. `bindings[i]` is
 * what buffer i holds and is written in place; scratch is made here, each buffer apart, and is NaN (int32: −1) until it is written.
 */
export function referenceRun(program: Program, bindings: readonly (TypedArray | undefined)[]): void {
  const arrays = program.buffers.map((buffer, index): TypedArray => {
    const array = buffer.data ?? (buffer.role === 'scratch' ? unwritten(buffer) : bindings[index]);
    if (!array) throw new Error(`buffer ${index} (${buffer.role}) has no binding`);
    return array;
  });
  for (const call of program.calls) {
    const place = ({ buffer, offset }: Operand): Place => ({ data: arrays[buffer] as TypedArray, at: offset });
    runCall(call, call.reads.map(place), call.writes.map(place));
  }
}

function unwritten({ dtype, length }: ProgramBuffer): TypedArray {
  return typedArray(dtype, length).fill(dtype === 'int32' ? -1 : Number.NaN);
}

function runCall<Name extends keyof Kernel>(
  call: Extract<KernelCall, { readonly kernel: Name }>,
  reads: readonly Place[],
  writes: readonly Place[],
): void {
  KERNELS[call.kernel as Name](call.spec as Kernel[Name], reads, writes);
}
