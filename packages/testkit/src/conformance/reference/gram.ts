import { factorAt } from './factor.js';
import { indicesOf, put, type ReferenceKernel } from './place.js';

export const gram: ReferenceKernel<'gram'> = ({ factors, positions, from, to, scale, accumulate }, reads, writes) => {
  const [first] = factors;
  if (!first) return;
  const { G, F, N } = first;
  for (const [g, i, j] of indicesOf([G, F, F]) as Generator<[number, number, number]>) {
    let total = 0;
    for (let v = from; v < to; v++)
      for (let n = 0; n < N; n++) {
        let [si, sj] = [0, 0];
        for (const factor of factors) {
          if (v >= factor.V) continue;
          for (let t = 0; t < factor.T; t++) {
            const [a, b] = [factorAt(factor, reads, v, n, g, i, t), factorAt(factor, reads, v, n, g, j, t)];
            if (positions === 'each') total += a * b;
            si += a;
            sj += b;
          }
        }
        if (positions === 'sum') total += si * sj;
      }
    put(writes, 0, (g * F + i) * F + j, scale * total, accumulate);
  }
};
