import type { TypedArray } from '@gradpack/core';
import type { Workspace } from '../place.js';
import { type BoundRequest, resultAt } from './bound-request.js';
import { normSums } from './norm-sums.js';
import type { BoundTerm } from './term.js';

/** Takes pieces of G, one sample after the other, and finishes the result. */
export interface Reducer {
  readonly bound: BoundRequest;
  /** `G[v,n]` in the entries [e0, e0 + length) of θ is `G[at …]`. Called for samples that the request has, n ascending. */
  add(G: Workspace, at: number, e0: number, length: number, v: number, n: number): void;
  finish(): void;
}

/** `cross` are the terms of P where the request has some. */
export function reducerOf(bound: BoundRequest, size: number, cross: readonly BoundTerm[]): Reducer {
  switch (bound.request.form) {
    case 'plain':
      return entrywise(bound, size, () => (G, at, length, weight, to, toAt) => {
        for (let e = 0; e < length; e++) to[toAt + e] = (to[toAt + e] as number) + weight * (G[at + e] as number);
      });
    case 'square':
      return entrywise(bound, size, () => (G, at, length, weight, to, toAt) => {
        for (let e = 0; e < length; e++) to[toAt + e] = (to[toAt + e] as number) + weight * (G[at + e] as number) ** 2;
      });
    case 'cross':
      return crossing(bound, size, cross);
    case 'norm':
      return norms(bound);
    case 'centred':
      return centred(bound, size);
  }
}

type Add = (G: Workspace, at: number, length: number, weight: number, to: TypedArray, toAt: number) => void;

/** Sums over all columns and samples go to float64 first; others are added where they belong. */
function entrywise(
  bound: BoundRequest,
  size: number,
  additionOf: (v: number, n: number, e0: number, length: number) => Add,
): Reducer {
  const { strides, from } = bound.request;
  const total = strides.v === 0 && strides.n === 0 ? new Float64Array(size) : undefined;
  return {
    bound,
    add(G, at, e0, length, v, n) {
      const rows = bound.rowsOf(n);
      const weight = bound.weight(v, n);
      const addition = additionOf(v, n, e0, length);
      if (total) addition(G, at, length, weight * rows.length, total, e0);
      else if (strides.n === 0)
        addition(G, at, length, weight * rows.length, bound.target.data, resultAt(bound, v, 0) + e0);
      else for (const i of rows) addition(G, at, length, weight, bound.target.data, resultAt(bound, v, i) + e0);
    },
    finish() {
      if (total) addTo(bound.target.data, resultAt(bound, from, 0), total);
    },
  };
}

export function addTo(to: BoundRequest['target']['data'], at: number, values: Workspace): void {
  for (let e = 0; e < values.length; e++) to[at + e] = (to[at + e] as number) + (values[e] as number);
}

function crossing(bound: BoundRequest, size: number, cross: readonly BoundTerm[]): Reducer {
  let P = new Float64Array(0);
  const { from } = bound.request;
  return entrywise(bound, size, (v, n, e0, length) => {
    if (P.length < length) P = new Float64Array(length);
    P.fill(0, 0, length);
    for (const term of cross) if (v - from < term.columns) term.add(v - from, n, 1, P, e0, e0 + length);
    return (G, at, count, weight, to, toAt) => {
      for (let e = 0; e < count; e++)
        to[toAt + e] = (to[toAt + e] as number) + 2 * weight * (G[at + e] as number) * (P[e] as number);
    };
  });
}

function norms(bound: BoundRequest): Reducer {
  const sums = normSums(bound);
  return {
    bound,
    add(G, at, _e0, length, v, n) {
      let squares = 0;
      for (let e = at; e < at + length; e++) squares += (G[e] as number) ** 2;
      sums.add(v, n, squares);
    },
    finish: sums.finish,
  };
}

/** Welford's recurrence over the samples: no difference of large moments. */
function centred(bound: BoundRequest, size: number): Reducer {
  const mean = new Float64Array(size);
  const squares = new Float64Array(size);
  const before: number[] = [];
  let seen = 0;
  return {
    bound,
    add(G, at, e0, length, _v, n) {
      const times = bound.rowsOf(n).length;
      // a sample comes once for each piece of θ
      if (before[n] === undefined) {
        before[n] = seen;
        seen += times;
      }
      const earlier = before[n] as number;
      for (let repeat = 1; repeat <= times; repeat++) recur(G, at, length, 1 / (earlier + repeat), mean, squares, e0);
    },
    finish() {
      for (let e = 0; e < size; e++) squares[e] = (squares[e] as number) / bound.rows;
      addTo(bound.target.data, resultAt(bound, bound.request.from, 0), squares);
    },
  };
}

function recur(
  G: Workspace,
  at: number,
  length: number,
  share: number,
  mean: Workspace,
  squares: Workspace,
  e0: number,
): void {
  for (let e = 0; e < length; e++) {
    const value = G[at + e] as number;
    const before = mean[e0 + e] as number;
    const next = before + (value - before) * share;
    mean[e0 + e] = next;
    squares[e0 + e] = (squares[e0 + e] as number) + (value - before) * (value - next);
  }
}
