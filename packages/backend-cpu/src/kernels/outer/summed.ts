import type { OuterTerm } from '@gradpack/core';
import { type FactorSample, factorReader } from '../factor.js';
import type { Place, Workspace } from '../place.js';
import { type BoundRequest, resultAt } from './bound-request.js';
import { addTo } from './reducer.js';
import { bindTerm, columnOf, columnsOf, multiplyInto } from './term.js';

/** Elements of an unfolded tile: 4 MB. */
const TILE = 2 ** 19;

/**
 * Requests that sum over the samples without forming any G. Plain ones are linear in the terms: a matrix term is one product over
 * the merged axis (v, n, t). With one matrix term and T = 1 squares are such a product too, of the squared factors.
 */
export function reduceSummed(
  terms: readonly OuterTerm[],
  size: number,
  N: number,
  bound: BoundRequest,
  reads: readonly Place[],
): void {
  const { from, to, strides, form } = bound.request;
  const total = new Float64Array(size);
  // a sample that is not listed may hold anything, so that a weight of 0 would not do
  const samples = Array.from({ length: N }, (_, n) => n).filter((n) => bound.rowsOf(n).length > 0);
  const step = strides.v === 0 ? to - from : 1;
  for (let first = from; first < to; first += step) {
    total.fill(0);
    const weight = (v: number, n: number): number => bound.weight(v, n) * bound.rowsOf(n).length;
    for (const term of terms) {
      const last = Math.min(first + step, columnsOf(term));
      if (first >= last) continue;
      if (term.kind === 'matrix') addProducts(term, samples, first, last, weight, form === 'square', total, reads);
      else {
        const { add } = bindTerm(term, reads);
        for (const n of samples) for (let v = first; v < last; v++) add(v, n, weight(v, n), total, 0, size);
      }
    }
    addTo(bound.target.data, resultAt(bound, first, 0), total);
  }
}

type MatrixTerm = Extract<OuterTerm, { readonly kind: 'matrix' }>;

/** `total[view] += Σ_{v,n,t} w a u`, or of their squares; columns of a tile are (v, n, t). */
function addProducts(
  { a, u, view }: MatrixTerm,
  samples: readonly number[],
  from: number,
  to: number,
  weight: (v: number, n: number) => number,
  squared: boolean,
  total: Workspace,
  reads: readonly Place[],
): void {
  const { G, O, C, K, strides } = view;
  const CK = C * K;
  const columns = Math.min(256, Math.max(16, Math.floor(TILE / (G * Math.max(CK, O)))));
  const left = new Float64Array(G * O * columns);
  const right = new Float64Array(G * CK * columns);
  const [aOf, uOf] = [factorReader(a, reads), factorReader(u, reads)];
  let filled = 0;
  const flush = (): void => {
    if (filled === 0) return;
    for (let g = 0; g < G; g++) {
      const A = { data: left, at: g * O * columns, row: columns, column: 1 };
      const U = { data: right, at: g * CK * columns, row: columns, column: 1 };
      multiplyInto(A, U, filled, view, 1, { data: total, at: g * strides.g });
    }
    filled = 0;
  };
  // where one factor is the same for all columns, the other is summed over them first
  const groups =
    a.V === 1 || u.V === 1
      ? [[from, to] as const]
      : Array.from({ length: to - from }, (_, i) => [from + i, from + i + 1] as const);
  for (const n of samples)
    for (const [v0, v1] of groups)
      for (let t0 = 0; t0 < a.T; ) {
        const t1 = Math.min(a.T, t0 + columns - filled);
        for (let v = v0; v < v1; v++) {
          const [w, again] = [weight(v, n), v > v0];
          const share = (sample: FactorSample, F: number, by: number, tile: Workspace): void =>
            writePositions(sample, G, F, t0, t1, by, squared, tile, filled, columns, again);
          if (u.V === 1) share(aOf(columnOf(a, v), n), O, w, left);
          else share(uOf(v, n), CK, w, right);
          if (again) continue;
          if (u.V === 1) share(uOf(0, n), CK, 1, right);
          else share(aOf(columnOf(a, v), n), O, 1, left);
        }
        filled += t1 - t0;
        t0 = t1;
        if (filled === columns) flush();
      }
  flush();
}

/** Rows (g, f) of a tile, positions [t0, t1): `weight · factor`, or of its square, added or written. */
function writePositions(
  { data, at, g: sg, f: sf, t: st }: FactorSample,
  G: number,
  F: number,
  t0: number,
  t1: number,
  weight: number,
  squared: boolean,
  to: Workspace,
  toAt: number,
  row: number,
  accumulate: boolean,
): void {
  for (let g = 0; g < G; g++)
    for (let f = 0; f < F; f++) {
      let source = at + g * sg + f * sf + t0 * st;
      let target = toAt + (g * F + f) * row;
      for (let t = t0; t < t1; t++, source += st, target++) {
        const x = data[source] as number;
        const value = squared ? weight * x * x : weight * x;
        to[target] = accumulate ? (to[target] as number) + value : value;
      }
    }
}
