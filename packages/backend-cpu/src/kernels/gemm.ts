import { multiply } from './multiply.js';
import type { CpuKernel } from './place.js';
import { operand } from './place.js';

export const gemm: CpuKernel<'gemm'> = ({ batch, M, N, K, a, b, c, alpha, accumulate, bias }, reads, writes) => {
  const [A, B, C] = [operand(reads, 0), operand(reads, 1), operand(writes, 0)];
  for (let i = 0; i < batch; i++) {
    if (bias) {
      const start = operand(reads, 2);
      for (let m = 0; m < M; m++)
        for (let n = 0; n < N; n++)
          C.data[C.at + i * c.b + m * c.m + n * c.n] = start.data[start.at + (bias === 'm' ? m : n)] as number;
    }
    multiply(
      M,
      N,
      K,
      { data: A.data, at: A.at + i * a.b, row: a.m, column: a.k },
      { data: B.data, at: B.at + i * b.b, row: b.k, column: b.n },
      { data: C.data, at: C.at + i * c.b, row: c.m, column: c.n },
      alpha,
      accumulate || bias !== undefined,
    );
  }
};
