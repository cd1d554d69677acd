import type { FactorSpec } from '@gradpack/core';
import { factorReader, writeFactor } from './factor.js';
import { multiply } from './multiply.js';
import { type CpuKernel, operand, type Workspace } from './place.js';

/** Positions that are multiplied at once, and rows of B in a block of its lower triangle. */
const COLUMNS = 256;
const BLOCK = 64;

export const gram: CpuKernel<'gram'> = ({ factors, positions, from, to, scale, accumulate }, reads, writes) => {
  const [first] = factors;
  if (!first) return;
  const { G, F, N } = first;
  const B = operand(writes, 0);
  const readers = factors.map((factor) => factorReader(factor, reads));
  const sums = new Float64Array(F * F);
  const tile = new Float64Array(F * COLUMNS);
  for (let g = 0; g < G; g++) {
    sums.fill(0);
    let columns = 0;
    const flush = (): void => {
      addLowerTriangle(sums, tile, F, columns);
      columns = 0;
    };
    for (let v = from; v < to; v++)
      for (let n = 0; n < N; n++) {
        let any = false;
        factors.forEach((factor, i) => {
          if (v >= factor.V) return;
          const sample = (readers[i] as (typeof readers)[number])(v, n);
          if (positions === 'sum') {
            addPositions(sample, g, factor, tile, columns, any);
            any = true;
            return;
          }
          for (let t0 = 0; t0 < factor.T; ) {
            const t1 = Math.min(factor.T, t0 + COLUMNS - columns);
            writeFactor(sample, g, F, t0, t1, 1, tile, columns, COLUMNS, false);
            columns += t1 - t0;
            t0 = t1;
            if (columns === COLUMNS) flush();
          }
        });
        if (any && ++columns === COLUMNS) flush();
      }
    flush();
    const at = B.at + g * F * F;
    for (let i = 0; i < F; i++)
      for (let j = 0; j < F; j++) {
        const value = scale * (sums[i < j ? j * F + i : i * F + j] as number);
        const place = at + i * F + j;
        B.data[place] = accumulate ? (B.data[place] as number) + value : value;
      }
  }
};

/** Column `column` of the tile (+)= Σ_t f. */
function addPositions(
  { data, at, g, f, t }: ReturnType<ReturnType<typeof factorReader>>,
  group: number,
  { F, T }: FactorSpec,
  tile: Workspace,
  column: number,
  accumulate: boolean,
): void {
  for (let i = 0; i < F; i++) {
    let sum = 0;
    for (let j = 0, p = at + group * g + i * f; j < T; j++, p += t) sum += data[p] as number;
    const place = i * COLUMNS + column;
    tile[place] = accumulate ? (tile[place] as number) + sum : sum;
  }
}

/** `sums += tile tileᵀ` in the blocks on and below the diagonal. */
function addLowerTriangle(sums: Workspace, tile: Workspace, F: number, columns: number): void {
  if (columns === 0) return;
  for (let i = 0; i < F; i += BLOCK)
    for (let j = 0; j <= i; j += BLOCK) {
      const a = { data: tile, at: i * COLUMNS, row: COLUMNS, column: 1 };
      const b = { data: tile, at: j * COLUMNS, row: 1, column: COLUMNS };
      const c = { data: sums, at: i * F + j, row: F, column: 1 };
      multiply(Math.min(BLOCK, F - i), Math.min(BLOCK, F - j), columns, a, b, c, 1, true);
    }
}
