import { get, indicesOf, type ReferenceKernel, set } from './place.js';

const WORD = 0xffffffffn;

/** Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"). */
function philox(counter: readonly [number, number, number, number], key: readonly [number, number]): readonly number[] {
  let [c0, c1, c2, c3] = counter.map((word) => BigInt(word) & WORD) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map((word) => BigInt(word) & WORD) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const p0 = 0xd2511f53n * c0;
    const p1 = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & WORD, (p0 >> 32n) ^ c3 ^ k1, p0 & WORD];
    k0 = (k0 + 0x9e3779b9n) & WORD;
    k1 = (k1 + 0xbb67ae85n) & WORD;
  }
  return [c0, c1, c2, c3].map(Number);
}

export const random: ReferenceKernel<'random'> = ({ stream, firstColumn, V, N, P }, reads, writes) => {
  const key = [get(reads, 0, 0), get(reads, 0, 1)] as const;
  for (const [i, n, q] of indicesOf([V, N, P]) as Generator<[number, number, number]>) {
    const word = philox([q >> 2, n, firstColumn + i, stream], key)[q & 3] as number;
    set(writes, 0, (i * N + n) * P + q, ((word >>> 9) + 0.5) * 2 ** -23);
  }
};

export const categorical: ReferenceKernel<'categorical'> = ({ M, N, C, P }, reads, writes) => {
  for (const [m, n, q] of indicesOf([M, N, P]) as Generator<[number, number, number]>) {
    const p = (c: number): number => get(reads, 0, (n * C + c) * P + q);
    let total = 0;
    for (let c = 0; c < C; c++) total += p(c);
    const threshold = get(reads, 1, (m * N + n) * P + q) * total;
    let label = C - 1;
    let sum = 0;
    for (let c = 0; c < C; c++) {
      sum += p(c);
      if (sum > threshold) {
        label = c;
        break;
      }
    }
    set(writes, 0, (m * N + n) * P + q, label);
  }
};
