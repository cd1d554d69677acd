import type { OuterTerm } from '@gradpack/core';
import { type FactorSample, factorReader } from '../factor.js';
import type { Place, Workspace } from '../place.js';
import { type BoundRequest, resultAt } from './bound-request.js';
import { normSums } from './norm-sums.js';
import { columnOf, columnsOf, multiplyInto } from './term.js';

type MatrixTerm = Extract<OuterTerm, { readonly kind: 'matrix' }>;

/** Requests for each sample of one matrix term with T = 1: G is a product of two vectors, so is its square, and ‖G‖² = Σ_g ‖a‖² ‖u‖². */
export function reduceSinglePosition(term: MatrixTerm, N: number, bound: BoundRequest, reads: readonly Place[]): void {
  const { a, u, view } = term;
  const { G, O, C, K } = view;
  const { from, to, form, strides } = bound.request;
  const [aOf, uOf] = [factorReader(a, reads), factorReader(u, reads)];
  const left = new Float64Array(G * O);
  const right = new Float64Array(G * C * K);
  const last = Math.min(to, columnsOf(term));
  const squared = form !== 'plain';
  const sums = form === 'norm' ? normSums(bound) : undefined;
  const addRows = (v: number, n: number): void => {
    for (const i of bound.rowsOf(n))
      for (let g = 0; g < G; g++) {
        const A = { data: left, at: g * O, row: 1, column: 1 };
        const U = { data: right, at: g * C * K, row: 1, column: 1 };
        const target = { data: bound.target.data, at: resultAt(bound, v, i) + g * view.strides.g };
        multiplyInto(A, U, 1, view, 1, target, !bound.overwrites);
      }
  };
  // columns that share u and the place of their result are summed as vectors
  const sumsColumns = form !== 'norm' && strides.v === 0 && u.V === 1;
  for (let n = 0; n < N; n++) {
    if (bound.rowsOf(n).length === 0 || from >= last) continue;
    for (let v = from; v < last; v++) {
      const first = v === from;
      if (first || u.V > 1) gather(uOf(columnOf(u, v), n), G, C * K, squared, 1, right, false);
      gather(aOf(columnOf(a, v), n), G, O, squared, sums ? 1 : bound.weight(v, n), left, sumsColumns && !first);
      if (sums) sums.add(v, n, productOfNorms(left, right, G));
      else if (!sumsColumns) addRows(v, n);
    }
    if (sumsColumns) addRows(from, n);
  }
  sums?.finish();
}

/** `Σ_g (Σ left[g]) (Σ right[g])` of squares. */
function productOfNorms(left: Workspace, right: Workspace, G: number): number {
  const [F, I] = [left.length / G, right.length / G];
  let norm = 0;
  for (let g = 0; g < G; g++) norm += sumOf(left, g * F, F) * sumOf(right, g * I, I);
  return norm;
}

/** The one position of all groups of a factor as [G·F]: `weight · x`, or of its squares, added or written. */
function gather(
  { data, at, g: sg, f: sf }: FactorSample,
  G: number,
  F: number,
  squared: boolean,
  weight: number,
  to: Workspace,
  accumulate: boolean,
): void {
  for (let g = 0; g < G; g++)
    for (let f = 0; f < F; f++) {
      const x = data[at + g * sg + f * sf] as number;
      const value = squared ? weight * x * x : weight * x;
      to[g * F + f] = accumulate ? (to[g * F + f] as number) + value : value;
    }
}

function sumOf(values: Workspace, at: number, length: number): number {
  let sum = 0;
  for (let i = at; i < at + length; i++) sum += values[i] as number;
  return sum;
}
