import { get, indicesOf, putAll, type ReferenceKernel, set } from './place.js';

export const gather: ReferenceKernel<'gather'> = ({ V, R, S, T }, reads, writes) => {
  for (const [v, r, t] of indicesOf([V, R, T]) as Generator<[number, number, number]>)
    set(writes, 0, (v * R + r) * T + t, get(reads, 0, (v * R + r) * S + get(reads, 1, r * T + t)));
};

export const scatterAdd: ReferenceKernel<'scatterAdd'> = ({ V, R, S, T }, reads, writes) => {
  const result = new Float64Array(V * R * S);
  for (const [v, r, t] of indicesOf([V, R, T]) as Generator<[number, number, number]>) {
    const at = (v * R + r) * S + get(reads, 1, r * T + t);
    result[at] = (result[at] as number) + get(reads, 0, (v * R + r) * T + t);
  }
  putAll(writes, 0, result, false);
};

export const gatherRows: ReferenceKernel<'gatherRows'> = ({ V, J, H, words, skip }, reads, writes) => {
  for (const [v, j, h] of indicesOf([V, J, H]) as Generator<[number, number, number]>) {
    const id = get(reads, 1, j);
    set(writes, 0, (v * J + j) * H + h, id === skip ? 0 : get(reads, 0, (v * words + id) * H + h));
  }
};

export const clampIndices: ReferenceKernel<'clampIndices'> = ({ length, bound, bit }, reads, writes) => {
  for (let i = 0; i < length; i++) {
    const id = get(reads, 0, i);
    const clamped = Math.min(Math.max(id, 0), bound - 1);
    set(writes, 0, i, clamped);
    if (clamped !== id) set(writes, 1, 0, get(writes, 1, 0) | bit);
  }
};

export const checkFinite: ReferenceKernel<'checkFinite'> = ({ length, bit }, reads, writes) => {
  for (let i = 0; i < length; i++) if (!Number.isFinite(get(reads, 0, i))) set(writes, 0, 0, get(writes, 0, 0) | bit);
};
