import type { Kernel, Operand } from '@gradpack/core';
import { FEW_INVOCATIONS, type Lowering } from '../lowering/dispatch.js';
import { kernelText } from '../lowering/kernel-text.js';
import { operandAt, spanOf } from '../lowering/loops.js';
import { addOuterProduct, eachEntry, gatherVector, tileIndices, tiles, zeroTile } from '../lowering/tile.js';
import { sumPieces } from './reduce.wgsl.js';

/*
 * gemm: C[b,m,n] (+)= [bias[m] or bias[n] +] alpha · Σ_k A[b,m,k] B[b,k,n], all by strides. An invocation keeps a 4 × 4 tile of C in registers and walks k;
 * no shared memory, so no barrier. Where C is small and K long, K is cut: pieces go to a temporary [pieces, b, m, n] and are summed in
 * order, the first with the bias. Bindings: A, B, C, bias.
 */
export function gemm(
  lowering: Lowering,
  { batch, M, N, K, a, b, c, alpha, accumulate, bias }: Kernel['gemm'],
  reads: readonly Operand[],
  writes: readonly Operand[],
): void {
  const y = operandAt(writes, 0);
  const cells = batch * tiles(M) * tiles(N);
  const wanted = Math.max(1, Math.min(Math.ceil(FEW_INVOCATIONS / cells), Math.floor(K / 64)));
  const size = Math.ceil(K / wanted);
  const pieces = Math.ceil(K / size);
  const partials = pieces === 1 ? undefined : lowering.temporary(pieces * batch * M * N);
  const to = partials ? { p: batch * M * N, b: M * N, m: N, n: 1 } : { p: 0, ...c };

  const k = kernelText(lowering);
  k.read('a', operandAt(reads, 0), 'f32', spanOf([batch, M, K], [a.b, a.m, a.k]));
  k.read('b', operandAt(reads, 1), 'f32', spanOf([batch, K, N], [b.b, b.k, b.n]));
  k.write('c', partials ?? y, 'f32', !partials && accumulate, spanOf([batch, M, N], [c.b, c.m, c.n]));
  if (bias) k.read('bias', operandAt(reads, 2), 'f32');
  for (const [name, value] of Object.entries({
    batch,
    M,
    N,
    K,
    size,
    a_b: a.b,
    a_m: a.m,
    a_k: a.k,
    b_b: b.b,
    b_k: b.k,
    b_n: b.n,
    c_p: to.p,
    c_b: to.b,
    c_m: to.m,
    c_n: to.n,
    rows: tiles(M),
    columns: tiles(N),
  }))
    k.int(name, value);
  k.float('alpha', alpha);
  const product = (c: number, value: string): string => {
    const index = bias === 'm' ? 'row * 4 + r' : `column * 4 + ${c}`;
    return `p.alpha * ${value}${bias ? ` + select(0.0, bias(${index}), piece == 0)` : ''}`;
  };
  k.dispatch(
    cells * pieces,
    `let column = i % p.columns; let row = i / p.columns % p.rows; let batch = i / (p.columns * p.rows) % p.batch; let piece = i / (p.columns * p.rows * p.batch);
let first = piece * p.size;
var a_to = vec4i(p.at_a + batch * p.a_b + first * p.a_k) + ${tileIndices('row', 'p.M')} * p.a_m;
var b_to = vec4i(p.at_b + batch * p.b_b + first * p.b_k) + ${tileIndices('column', 'p.N')} * p.b_n;
${zeroTile('c')}
for (var k = first; k < min(first + p.size, p.K); k++) {
let x = ${gatherVector('a_at', 'a_to')};
let y = ${gatherVector('b_at', 'b_to')};
${addOuterProduct('c', 'x', 'y')}
a_to += vec4i(p.a_k); b_to += vec4i(p.b_k);
}
let to = piece * p.c_p + batch * p.c_b + row * 4 * p.c_m + column * 4 * p.c_n;
${eachEntry('c', 'row', 'p.M', 'column', 'p.N', (c, value) => `put_c(to + r * p.c_m + ${c} * p.c_n, ${product(c, value)});`)}`,
  );
  if (partials) sumPieces(lowering, partials, pieces, [batch, M, N], [c.b, c.m, c.n], y, 1, accumulate);
}
