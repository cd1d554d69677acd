import type { CpuKernel } from './place.js';
import { operand } from './place.js';

export const gather: CpuKernel<'gather'> = ({ V, R, S, T }, reads, writes) => {
  const [x, index, y] = [operand(reads, 0), operand(reads, 1), operand(writes, 0)];
  for (let v = 0; v < V; v++)
    for (let r = 0; r < R; r++) {
      const from = x.at + (v * R + r) * S;
      const to = y.at + (v * R + r) * T;
      const i = index.at + r * T;
      for (let t = 0; t < T; t++) y.data[to + t] = x.data[from + (index.data[i + t] as number)] as number;
    }
};

export const scatterAdd: CpuKernel<'scatterAdd'> = ({ V, R, S, T }, reads, writes) => {
  const [y, index, x] = [operand(reads, 0), operand(reads, 1), operand(writes, 0)];
  const sums = new Float64Array(S);
  for (let v = 0; v < V; v++)
    for (let r = 0; r < R; r++) {
      sums.fill(0);
      const from = y.at + (v * R + r) * T;
      const i = index.at + r * T;
      for (let t = 0; t < T; t++) {
        const s = index.data[i + t] as number;
        sums[s] = (sums[s] as number) + (y.data[from + t] as number);
      }
      x.data.set(sums, x.at + (v * R + r) * S);
    }
};

export const gatherRows: CpuKernel<'gatherRows'> = ({ V, J, H, words, skip }, reads, writes) => {
  const [W, ids, y] = [operand(reads, 0), operand(reads, 1), operand(writes, 0)];
  for (let v = 0; v < V; v++)
    for (let j = 0; j < J; j++) {
      const id = ids.data[ids.at + j] as number;
      const to = y.at + (v * J + j) * H;
      const from = W.at + (v * words + id) * H;
      if (id === skip) y.data.fill(0, to, to + H);
      else for (let h = 0; h < H; h++) y.data[to + h] = W.data[from + h] as number;
    }
};
