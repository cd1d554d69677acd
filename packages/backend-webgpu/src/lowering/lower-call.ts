import type { Kernel, KernelCall, Operand } from '@gradpack/core';
import { convolve, convolveTransposed } from '../kernels/convolve.wgsl.js';
import { copy, fill, map } from '../kernels/elementwise.wgsl.js';
import { checkFinite, clampIndices } from '../kernels/flag.wgsl.js';
import { gemm } from '../kernels/gemm.wgsl.js';
import { gram } from '../kernels/gram.wgsl.js';
import { gather, gatherRows, scatterAdd } from '../kernels/index.wgsl.js';
import { outer } from '../kernels/outer.wgsl.js';
import { averagePool, averagePoolTransposed, maxPool } from '../kernels/pool.wgsl.js';
import { categorical, random } from '../kernels/random.wgsl.js';
import { reduce } from '../kernels/reduce.wgsl.js';
import type { Lowering } from './dispatch.js';

type LowerKernel<Name extends keyof Kernel> = (
  lowering: Lowering,
  spec: Kernel[Name],
  reads: readonly Operand[],
  writes: readonly Operand[],
) => void;

const KERNELS: { readonly [Name in keyof Kernel]: LowerKernel<Name> } = {
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

/** Turns a kernel call into dispatches. */
export function lowerCall<Name extends keyof Kernel>(
  lowering: Lowering,
  call: Extract<KernelCall, { readonly kernel: Name }>,
): void {
  KERNELS[call.kernel as Name](lowering, call.spec as Kernel[Name], call.reads, call.writes);
}
