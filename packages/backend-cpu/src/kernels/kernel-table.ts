import type { Kernel } from '@gradpack/core';
import { checkFinite, clampIndices } from './checks.js';
import { convolve, convolveTransposed } from './convolution.js';
import { copy, fill, map } from './elementwise.js';
import { gemm } from './gemm.js';
import { gram } from './gram.js';
import { gather, gatherRows, scatterAdd } from './indices.js';
import { outer } from './outer/outer.js';
import type { CpuKernel } from './place.js';
import { averagePool, averagePoolTransposed, maxPool } from './pooling.js';
import { categorical, random } from './random.js';
import { reduce } from './reduce.js';

/** Every kernel that a program may name. */
export const KERNELS: { readonly [Name in keyof Kernel]: CpuKernel<Name> } = {
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
