import type { OuterSpec, OuterTerm } from '@gradpack/core';
import type { Reducer } from './reducer.js';
import { type BoundTerm, isRowMajor } from './term.js';

/** Entries of θ in a tile: 128 KB, so that G stays in the second cache while the requests take from it. */
const TILE = 16_384;

/** Entries in a tile: whole rows where the terms have rows, all of θ where a matrix is not row-major. */
function tileSize(terms: readonly OuterTerm[], size: number): number {
  const views = terms.flatMap((term) => (term.kind === 'matrix' ? [term.view] : []));
  const rows = new Set(views.map((view) => view.C * view.K));
  if (rows.size > 1 || !views.every(isRowMajor)) return size;
  const row = rows.values().next().value ?? 1;
  return Math.min(size, Math.max(1, Math.floor(TILE / row)) * row);
}

/** Forms G for a sample, a tile of θ and a column at a time, and hands it to every request that has that column. */
export function reduceTiles(
  { N, size, terms, requests }: OuterSpec,
  bound: readonly BoundTerm[],
  reducers: readonly Reducer[],
): void {
  const from = Math.min(...reducers.map((r) => r.bound.request.from));
  const beyond = Math.max(0, ...bound.map((term) => term.columns));
  const to = Math.min(beyond, Math.max(...reducers.map((r) => r.bound.request.to)));
  const takers = Array.from({ length: Math.max(0, to - from) }, (_, i) =>
    reducers.filter(({ bound: { request } }) => request.from <= from + i && from + i < request.to),
  );
  const tile = tileSize([...terms, ...requests.flatMap((r) => r.cross ?? [])], size);
  const G = new Float64Array(tile);
  const active = Array.from({ length: N }, (_, n) =>
    takers.map((list) => list.filter((r) => r.bound.rowsOf(n).length > 0)),
  );
  const reduce = (n: number, e0: number): void => {
    const e1 = Math.min(size, e0 + tile);
    for (let v = from; v < to; v++) {
      const reduced = active[n]?.[v - from] ?? [];
      if (reduced.length === 0) continue;
      G.fill(0, 0, e1 - e0);
      for (const term of bound) if (v < term.columns) term.add(v, n, 1, G, e0, e1);
      for (const reducer of reduced) reducer.add(G, 0, e0, e1 - e0, v, n);
    }
  };
  // sums stay in the cache where tiles are outside, an unfolded factor is kept for one sample where samples are
  if (terms.some(isUnfolded)) for (let n = 0; n < N; n++) for (let e0 = 0; e0 < size; e0 += tile) reduce(n, e0);
  else for (let e0 = 0; e0 < size; e0 += tile) for (let n = 0; n < N; n++) reduce(n, e0);
}

function isUnfolded(term: OuterTerm): boolean {
  return ('a' in term && term.a.form === 'unfolded') || ('u' in term && term.u.form === 'unfolded');
}
