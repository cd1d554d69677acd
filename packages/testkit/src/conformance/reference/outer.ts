import type { OuterRequest, OuterTerm } from '@gradpack/core';
import { factorAt } from './factor.js';
import { get, indicesOf, type Place, put, type ReferenceKernel } from './place.js';

/** `Σ_terms (∂y_n/∂θ)ᵀ a[v,n]`, all of it. */
function individual(
  terms: readonly OuterTerm[],
  size: number,
  reads: readonly Place[],
  v: number,
  n: number,
): Float64Array {
  const G = new Float64Array(size);
  const add = (e: number, value: number): void => {
    G[e] = (G[e] as number) + value;
  };
  for (const term of terms) {
    if (term.kind === 'given') {
      if (v < term.V)
        for (let e = 0; e < size; e++) add(e, get(reads, term.read, v * term.strides.v + n * term.strides.n + e));
      continue;
    }
    const { a } = term;
    const u = 'u' in term ? term.u : undefined;
    if (v >= Math.max(a.V, u?.V ?? 1)) continue;
    const av = a.V === 1 ? 0 : v;
    const uv = u?.V === 1 ? 0 : v;
    for (const [g, f, t] of indicesOf([a.G, a.F, a.T]) as Generator<[number, number, number]>) {
      const value = factorAt(a, reads, av, n, g, f, t);
      switch (term.kind) {
        case 'matrix': {
          const { C, K, strides } = term.view;
          for (const [c, k] of indicesOf([C, K]) as Generator<[number, number]>)
            add(
              g * strides.g + f * strides.o + c * strides.c + k * strides.k,
              value * factorAt(term.u, reads, uv, n, g, c * K + k, t),
            );
          break;
        }
        case 'shift':
          add(g * a.F + f, value);
          break;
        case 'scale':
          add(f, value * factorAt(term.u, reads, uv, n, 0, f, t));
          break;
        case 'lookup': {
          const row = get(reads, term.rows, n * a.T + t);
          if (row !== term.skip) add(row * a.F + f, value);
          break;
        }
        default:
          term satisfies never;
      }
    }
  }
  return G;
}

function samplesOf(request: OuterRequest, N: number, reads: readonly Place[]): readonly number[] {
  const { samples } = request;
  return Array.from({ length: samples ? samples.count : N }, (_, i) => (samples ? get(reads, samples.list, i) : i));
}

export const outer: ReferenceKernel<'outer'> = ({ N, size, terms, requests }, reads, writes) => {
  for (const request of requests) {
    const { form, from, to, weight, into, strides, accumulate } = request;
    const samples = samplesOf(request, N, reads);
    if (form === 'centred') {
      const all = samples.map((n) => individual(terms, size, reads, from, n));
      for (let e = 0; e < size; e++) {
        const mean = all.reduce((sum, G) => sum + (G[e] as number), 0) / all.length;
        put(writes, into, e, all.reduce((sum, G) => sum + ((G[e] as number) - mean) ** 2, 0) / all.length, accumulate);
      }
      continue;
    }
    const sums = new Map<number, number>();
    const add = (at: number, value: number): void => void sums.set(at, (sums.get(at) ?? 0) + value);
    for (let v = from; v < to; v++)
      samples.forEach((n, i) => {
        const G = individual(terms, size, reads, v, n);
        const P = form === 'cross' ? individual(request.cross ?? [], size, reads, v - from, n) : G;
        const w = weight === undefined ? 1 : get(reads, weight, (v - from) * N + n);
        const at = (v - from) * strides.v + i * strides.n;
        if (form === 'norm') add(at, w * G.reduce((sum, x) => sum + x * x, 0));
        else
          for (const [e, x] of G.entries())
            add(at + e, form === 'plain' ? w * x : form === 'square' ? w * x * x : 2 * x * (P[e] as number));
      });
    for (const [at, value] of sums) put(writes, into, at, value, accumulate);
  }
};
