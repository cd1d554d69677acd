import type { OuterSpec, OuterTerm } from '@gradpack/core';
import { factorReader } from '../factor.js';
import { operand, type Place } from '../place.js';
import type { Reducer } from './reducer.js';

export type LookupTerm = Extract<OuterTerm, { readonly kind: 'lookup' }>;

/** Whether G has only the rows that a sample looked up: all terms are lookups of rows of one width. */
export function areLookups(terms: readonly OuterTerm[]): terms is readonly LookupTerm[] {
  const [first] = terms;
  return first?.kind === 'lookup' && terms.every((term) => term.kind === 'lookup' && term.a.F === first.a.F);
}

/** As `reduceTiles`, but a vocabulary of any size costs only the rows that occur in a sample. */
export function reduceLookupRows(
  { N }: OuterSpec,
  terms: readonly LookupTerm[],
  reads: readonly Place[],
  reducers: readonly Reducer[],
): void {
  const F = terms[0]?.a.F ?? 0;
  const from = Math.min(...reducers.map((r) => r.bound.request.from));
  const to = Math.min(Math.max(...terms.map((term) => term.a.V)), Math.max(...reducers.map((r) => r.bound.request.to)));
  const bound = terms.map((term) => ({ term, a: factorReader(term.a, reads), rows: operand(reads, term.rows) }));
  for (let n = 0; n < N; n++) {
    const place = new Map<number, number>();
    for (const { term, rows } of bound)
      for (let t = 0; t < term.a.T; t++) {
        const row = rows.data[rows.at + n * term.a.T + t] as number;
        if (row !== term.skip && !place.has(row)) place.set(row, place.size);
      }
    const G = new Float64Array(place.size * F);
    for (let v = from; v < to; v++) {
      const active = reducers.filter(
        ({ bound: b }) => b.request.from <= v && v < b.request.to && b.rowsOf(n).length > 0,
      );
      if (active.length === 0) continue;
      G.fill(0);
      for (const { term, a, rows } of bound) {
        if (v >= term.a.V) continue;
        const { data, at, f: sf, t: st } = a(v, n);
        for (let t = 0; t < term.a.T; t++) {
          const row = rows.data[rows.at + n * term.a.T + t] as number;
          // another term may have the row that this one skips
          const first = row === term.skip ? undefined : place.get(row);
          if (first === undefined) continue;
          for (let f = 0; f < F; f++)
            G[first * F + f] = (G[first * F + f] as number) + (data[at + f * sf + t * st] as number);
        }
      }
      for (const [row, first] of place) for (const reducer of active) reducer.add(G, first * F, row * F, F, v, n);
    }
  }
}
