import type { Kernel, Operand } from '@gradpack/core';
import type { Lowering } from '../lowering/dispatch.js';
import { kernelText } from '../lowering/kernel-text.js';
import { operandAt } from '../lowering/loops.js';

/*
 * random: Philox4x32-10 (Salmon et al. 2011); an invocation makes the four words of one counter. WGSL has no 64-bit integers: the high
 * word of a product is put together from 16-bit halves. u = ((word ≫ 9) + ½) · 2⁻²³ is exact in float32.
 *
 * categorical: the first class c with Σ_{d≤c} p[n,d,q] > u[m,n,q] · Σ_d p[n,d,q], else C − 1.
 */

const PHILOX = `fn high_word(a: u32, b: u32) -> u32 {
let al = a & 0xffffu; let ah = a >> 16u; let bl = b & 0xffffu; let bh = b >> 16u;
let middle = ah * bl + ((al * bl) >> 16u);
return ah * bh + (middle >> 16u) + ((al * bh + (middle & 0xffffu)) >> 16u);
}
fn philox(counter: vec4u, seed: vec2u) -> vec4u {
var c = counter;
var key = seed;
for (var round = 0; round < 10; round++) {
c = vec4u(high_word(0xcd9e8d57u, c.z) ^ c.y ^ key.x, 0xcd9e8d57u * c.z, high_word(0xd2511f53u, c.x) ^ c.w ^ key.y, 0xd2511f53u * c.x);
key += vec2u(0x9e3779b9u, 0xbb67ae85u);
}
return c;
}`;

export function random(
  lowering: Lowering,
  { stream, firstColumn, V, N, P }: Kernel['random'],
  reads: readonly Operand[],
  writes: readonly Operand[],
): void {
  const k = kernelText(lowering);
  k.read('run', operandAt(reads, 0), 'i32');
  k.write('u', operandAt(writes, 0), 'f32', false);
  const quads = Math.ceil(P / 4);
  for (const [name, value] of Object.entries({ stream, firstColumn, N, P, quads })) k.int(name, value);
  k.declare(PHILOX);
  k.dispatch(
    V * N * quads,
    `let quad = i % p.quads; let row = i / p.quads;
let words = philox(vec4u(vec4i(quad, row % p.N, p.firstColumn + row / p.N, p.stream)), vec2u(vec2i(run(0), run(1))));
for (var j = 0; j < 4; j++) {
if (quad * 4 + j < p.P) { put_u(row * p.P + quad * 4 + j, (f32(words[j] >> 9u) + 0.5) * 1.1920928955078125e-7); }
}`,
  );
}

export function categorical(
  lowering: Lowering,
  { M, N, C, P }: Kernel['categorical'],
  reads: readonly Operand[],
  writes: readonly Operand[],
): void {
  const k = kernelText(lowering);
  k.read('probability', operandAt(reads, 0), 'f32');
  k.read('u', operandAt(reads, 1), 'f32');
  k.write('label', operandAt(writes, 0), 'i32', false);
  for (const [name, value] of Object.entries({ N, C, P })) k.int(name, value);
  k.dispatch(
    M * N * P,
    `let first = i / p.P % p.N * p.C * p.P + i % p.P;
var total = 0.0;
for (var c = 0; c < p.C; c++) { total += probability(first + c * p.P); }
let threshold = u(i) * total;
var sum = 0.0;
var c = 0;
for (; c < p.C - 1; c++) {
sum += probability(first + c * p.P);
if (sum > threshold) { break; }
}
put_label(i, c);`,
  );
}
