import type { CpuKernel } from './place.js';
import { operand } from './place.js';

/** The high word of a product of two 32-bit words, by halves. */
function highWord(a: number, b: number): number {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >>> 16);
  const carry = aLow * bHigh + (middle % 0x10000);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}

/** Philox4x32-10 (Salmon et al. 2011): the four words of `counter` under `key`, into `out`. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
  out: Uint32Array,
): void {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = highWord(0xd2511f53, c0 >>> 0);
    const low0 = Math.imul(0xd2511f53, c0);
    const high1 = highWord(0xcd9e8d57, c2 >>> 0);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

export const random: CpuKernel<'random'> = ({ stream, firstColumn, V, N, P }, reads, writes) => {
  const [run, u] = [operand(reads, 0), operand(writes, 0)];
  const key = [run.data[run.at] as number, run.data[run.at + 1] as number] as const;
  const words = new Uint32Array(4);
  for (let i = 0; i < V; i++)
    for (let n = 0; n < N; n++) {
      const row = u.at + (i * N + n) * P;
      for (let q = 0; q < P; q++) {
        if ((q & 3) === 0) philox([q >>> 2, n, firstColumn + i, stream], key, words);
        u.data[row + q] = (((words[q & 3] as number) >>> 9) + 0.5) * 2 ** -23;
      }
    }
};

export const categorical: CpuKernel<'categorical'> = ({ M, N, C, P }, reads, writes) => {
  const [p, u, label] = [operand(reads, 0), operand(reads, 1), operand(writes, 0)];
  for (let n = 0; n < N; n++)
    for (let q = 0; q < P; q++) {
      const first = p.at + n * C * P + q;
      let total = 0;
      for (let c = 0; c < C; c++) total += p.data[first + c * P] as number;
      for (let m = 0; m < M; m++) {
        const at = (m * N + n) * P + q;
        const threshold = (u.data[u.at + at] as number) * total;
        let c = 0;
        for (let sum = 0; c < C - 1; c++) {
          sum += p.data[first + c * P] as number;
          if (sum > threshold) break;
        }
        label.data[label.at + at] = c;
      }
    }
};
