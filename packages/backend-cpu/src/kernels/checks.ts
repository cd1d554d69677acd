import type { CpuKernel } from './place.js';
import { operand } from './place.js';

export const clampIndices: CpuKernel<'clampIndices'> = ({ length, bound, bit }, reads, writes) => {
  const [ids, out, flag] = [operand(reads, 0), operand(writes, 0), operand(writes, 1)];
  let outside = false;
  for (let i = 0; i < length; i++) {
    const id = ids.data[ids.at + i] as number;
    const clamped = id < 0 ? 0 : id >= bound ? bound - 1 : id;
    outside ||= clamped !== id;
    out.data[out.at + i] = clamped;
  }
  if (outside) flag.data[flag.at] = (flag.data[flag.at] as number) | bit;
};

export const checkFinite: CpuKernel<'checkFinite'> = ({ length, bit }, reads, writes) => {
  const [x, flag] = [operand(reads, 0), operand(writes, 0)];
  for (let i = 0; i < length; i++)
    if (!Number.isFinite(x.data[x.at + i] as number)) {
      flag.data[flag.at] = (flag.data[flag.at] as number) | bit;
      return;
    }
};
