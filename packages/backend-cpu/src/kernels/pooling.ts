import { positionTable, sizeOf } from '@gradpack/core';
import type { CpuKernel } from './place.js';
import { operand } from './place.js';

export const maxPool: CpuKernel<'maxPool'> = ({ rows, window }, reads, writes) => {
  const [x, y, index] = [operand(reads, 0), operand(writes, 0), operand(writes, 1)];
  const [S, K, T] = [sizeOf(window.input), sizeOf(window.kernel), sizeOf(window.output)];
  const table = positionTable(window);
  for (let r = 0; r < rows; r++)
    for (let t = 0; t < T; t++) {
      let best = Number.NEGATIVE_INFINITY;
      let place = -1;
      for (let k = 0; k < K; k++) {
        const p = table[k * T + t] as number;
        if (p < 0) continue;
        const value = x.data[x.at + r * S + p] as number;
        // the first NaN is kept: no comparison with it is true
        if (place < 0 || value > best || (Number.isNaN(value) && !Number.isNaN(best))) {
          best = value;
          place = p;
        }
      }
      y.data[y.at + r * T + t] = best;
      // a window wholly outside names position 0, where its gradient does no harm to the range of the index
      index.data[index.at + r * T + t] = Math.max(place, 0);
    }
};

export const averagePool: CpuKernel<'averagePool'> = ({ rows, window, divisors }, reads, writes) => {
  const [x, y] = [operand(reads, 0), operand(writes, 0)];
  const [S, K, T] = [sizeOf(window.input), sizeOf(window.kernel), sizeOf(window.output)];
  const table = positionTable(window);
  for (let r = 0; r < rows; r++)
    for (let t = 0; t < T; t++) {
      let sum = 0;
      for (let k = 0; k < K; k++) {
        const p = table[k * T + t] as number;
        if (p >= 0) sum += x.data[x.at + r * S + p] as number;
      }
      y.data[y.at + r * T + t] = sum / (divisors[t] as number);
    }
};

export const averagePoolTransposed: CpuKernel<'averagePoolTransposed'> = (
  { rows, window, divisors },
  reads,
  writes,
) => {
  const [y, x] = [operand(reads, 0), operand(writes, 0)];
  const [S, K, T] = [sizeOf(window.input), sizeOf(window.kernel), sizeOf(window.output)];
  const table = positionTable(window);
  const sums = new Float64Array(S);
  for (let r = 0; r < rows; r++) {
    sums.fill(0);
    for (let t = 0; t < T; t++) {
      const share = (y.data[y.at + r * T + t] as number) / (divisors[t] as number);
      for (let k = 0; k < K; k++) {
        const p = table[k * T + t] as number;
        if (p >= 0) sums[p] = (sums[p] as number) + share;
      }
    }
    x.data.set(sums, x.at + r * S);
  }
};
