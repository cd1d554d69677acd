import type { ConformanceCase, Draw } from '@gradpack/testkit';
import { type CaseOptions, copy, fill, map, reduce } from './elementwise.js';
import { categorical, flags, gatherRows, index, random } from './indices.js';
import { gram, outer } from './outer.js';
import { convolution, gemm, pooling } from './products.js';

/** The larger a kernel's family, the more often it is drawn. */
const KERNELS: readonly ((draw: Draw, options: CaseOptions) => ConformanceCase)[] = [
  ...[fill, copy, copy, map, map, map, reduce, reduce, gemm, gemm],
  ...[convolution, convolution, convolution, convolution, pooling, pooling],
  ...[index, gatherRows, random, categorical, flags],
  ...[outer, outer, outer, outer, outer, gram, gram, gram],
];

/** A valid program of one call of any kernel. Without `rounding` every result is exact in float32. */
export function randomCase(draw: Draw, options: CaseOptions): ConformanceCase {
  return draw.pick(KERNELS)(draw, options);
}
