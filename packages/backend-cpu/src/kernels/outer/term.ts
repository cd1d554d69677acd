import type { MatrixView, OuterTerm } from '@gradpack/core';
import { type FactorSample, factorReader } from '../factor.js';
import { type Matrix, multiply } from '../multiply.js';
import { operand, type Place, type Workspace } from '../place.js';

/** A term with its operands: adds its share of `weight · G[v,n]` in the entries [e0, e1) of θ to `to[0 …]`. */
export interface BoundTerm {
  /** The term is 0 from this column on. */
  readonly columns: number;
  add(v: number, n: number, weight: number, to: Workspace, e0: number, e1: number): void;
}

/** Column v of a factor, or its only one. */
export const columnOf = (factor: { readonly V: number }, v: number): number => (factor.V === 1 ? 0 : v);

export function columnsOf(term: OuterTerm): number {
  if (term.kind === 'given') return term.V;
  return 'u' in term ? Math.max(term.a.V, term.u.V) : term.a.V;
}

export function bindTerm(term: OuterTerm, reads: readonly Place[]): BoundTerm {
  const columns = columnsOf(term);
  if (term.kind === 'given') {
    const { data, at } = operand(reads, term.read);
    const { strides } = term;
    return {
      columns,
      add(v, n, weight, to, e0, e1) {
        let from = at + v * strides.v + n * strides.n + e0;
        for (let e = 0; e < e1 - e0; e++) to[e] = (to[e] as number) + weight * (data[from++] as number);
      },
    };
  }
  const a = factorReader(term.a, reads);
  const aOf = (v: number, n: number): FactorSample => a(columnOf(term.a, v), n);
  switch (term.kind) {
    case 'matrix': {
      const u = factorReader(term.u, reads);
      const { view } = term;
      const { T } = term.a;
      return {
        columns,
        add: (v, n, weight, to, e0, e1) =>
          addOuterProduct(aOf(v, n), u(columnOf(term.u, v), n), T, view, weight, to, e0, e1),
      };
    }
    case 'shift':
      return {
        columns,
        add: (v, n, weight, to, e0, e1) => addShift(aOf(v, n), term.a.F, term.a.T, weight, to, e0, e1),
      };
    case 'scale': {
      const u = factorReader(term.u, reads);
      return {
        columns,
        add: (v, n, weight, to, e0, e1) => addScale(aOf(v, n), u(columnOf(term.u, v), n), term.a.T, weight, to, e0, e1),
      };
    }
    case 'lookup': {
      const rows = operand(reads, term.rows);
      const { F, T } = term.a;
      return {
        columns,
        add(v, n, weight, to, e0, e1) {
          const sample = aOf(v, n);
          for (let t = 0; t < T; t++) {
            const row = rows.data[rows.at + n * T + t] as number;
            if (row !== term.skip) addRow(sample, t, F, row * F, weight, to, e0, e1);
          }
        },
      };
    }
  }
}

/** Position t of `a`, at the entries from `first` on. */
function addRow(
  { data, at, f: sf, t: st }: FactorSample,
  t: number,
  F: number,
  first: number,
  weight: number,
  to: Workspace,
  e0: number,
  e1: number,
): void {
  const end = Math.min(F, e1 - first);
  for (let f = Math.max(0, e0 - first); f < end; f++) {
    const e = first + f - e0;
    to[e] = (to[e] as number) + weight * (data[at + f * sf + t * st] as number);
  }
}

function addShift(
  { data, at, g: sg, f: sf, t: st }: FactorSample,
  F: number,
  T: number,
  weight: number,
  to: Workspace,
  e0: number,
  e1: number,
): void {
  for (let e = e0; e < e1; e++) {
    const g = Math.floor(e / F);
    let from = at + g * sg + (e - g * F) * sf;
    let sum = 0;
    for (let t = 0; t < T; t++, from += st) sum += data[from] as number;
    to[e - e0] = (to[e - e0] as number) + weight * sum;
  }
}

function addScale(
  a: FactorSample,
  u: FactorSample,
  T: number,
  weight: number,
  to: Workspace,
  e0: number,
  e1: number,
): void {
  for (let e = e0; e < e1; e++) {
    let left = a.at + e * a.f;
    let right = u.at + e * u.f;
    let sum = 0;
    for (let t = 0; t < T; t++, left += a.t, right += u.t) sum += (a.data[left] as number) * (u.data[right] as number);
    to[e - e0] = (to[e - e0] as number) + weight * sum;
  }
}

/** Whether θ is [G·O, C·K] row by row, so that whole rows are a range of θ. */
export function isRowMajor({ G, O, C, K, strides }: MatrixView): boolean {
  const row = C * K;
  const axes = [
    [K, strides.k, 1],
    [C, strides.c, K],
    [O, strides.o, row],
    [G, strides.g, O * row],
  ] as const;
  return axes.every(([extent, stride, wanted]) => extent === 1 || stride === wanted);
}

/** `G[view(g,o,c,k)] += weight Σ_t a[g,o,t] u[g,cK+k,t]`; a part of θ only of whole rows where θ is row-major. */
function addOuterProduct(
  a: FactorSample,
  u: FactorSample,
  T: number,
  view: MatrixView,
  weight: number,
  to: Workspace,
  e0: number,
  e1: number,
): void {
  const { G, O, C, K, strides } = view;
  if (!isRowMajor(view)) {
    for (let g = 0; g < G; g++)
      multiplyInto(groupOf(a, g, 0), groupOf(u, g, 0), T, view, weight, { data: to, at: g * strides.g - e0 });
    return;
  }
  const row = C * K;
  const last = e1 / row;
  for (let r = e0 / row; r < last; ) {
    const g = Math.floor(r / O);
    const o = r - g * O;
    const rows = Math.min(O - o, last - r);
    const right = groupOf(u, g, 0);
    multiply(
      rows,
      row,
      T,
      groupOf(a, g, o),
      { ...right, row: right.column, column: right.row },
      { data: to, at: r * row - e0, row, column: 1 },
      weight,
      true,
    );
    r += rows;
  }
}

/** Rows f, f + 1 … of a group as a matrix [F, T]. */
function groupOf({ data, at, g, f, t }: FactorSample, group: number, first: number): Matrix {
  return { data, at: at + group * g + first * f, row: f, column: t };
}

/** `to[view(o,c,k)] (+)= weight Σ_t a[o,t] u[cK+k,t]` of one group, for any view. */
export function multiplyInto(
  a: Matrix,
  u: Matrix,
  T: number,
  { O, C, K, strides }: MatrixView,
  weight: number,
  to: Place,
  accumulate = true,
): void {
  const merged = C === 1 || K === 1 || strides.c === K * strides.k;
  const [steps, width] = merged ? [1, C * K] : [C, K];
  const column = K === 1 ? strides.c : strides.k;
  for (let c = 0; c < steps; c++) {
    const right = { data: u.data, at: u.at + c * K * u.row, row: u.column, column: u.row };
    multiply(
      O,
      width,
      T,
      a,
      right,
      { data: to.data, at: to.at + c * strides.c, row: strides.o, column },
      weight,
      accumulate,
    );
  }
}
