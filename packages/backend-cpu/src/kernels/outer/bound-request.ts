import type { OuterRequest } from '@gradpack/core';
import { operand, type Place } from '../place.js';

/** A request with its operands. */
export interface BoundRequest {
  readonly request: OuterRequest;
  readonly target: Place;
  /** Rows that the samples have in the result: N, or the listed ones. */
  readonly rows: number;
  /** Places of sample n among the rows; none where it is not listed. */
  rowsOf(n: number): readonly number[];
  weight(v: number, n: number): number;
  /** Whether every place of the result is written once, so that it need not be 0 before. */
  readonly overwrites: boolean;
}

/** Binds a request and, unless it accumulates or `overwrites`, sets its result to 0: reductions add. */
export function bindRequest(
  request: OuterRequest,
  N: number,
  size: number,
  reads: readonly Place[],
  writes: readonly Place[],
  overwrites: boolean,
): BoundRequest {
  const { from, weight, samples } = request;
  const weights = weight === undefined ? undefined : operand(reads, weight);
  const listed = samples && rowsBySample(operand(reads, samples.list), samples.count, N);
  const own = listed ?? Array.from({ length: N }, (_, n) => [n]);
  const bound: BoundRequest = {
    request,
    target: operand(writes, request.into),
    rows: samples?.count ?? N,
    rowsOf: (n) => own[n] ?? [],
    weight: (v, n) => (weights ? (weights.data[weights.at + (v - from) * N + n] as number) : 1),
    overwrites,
  };
  if (!request.accumulate && !overwrites) clear(bound, size);
  return bound;
}

function rowsBySample(list: Place, count: number, N: number): readonly (readonly number[])[] {
  const rows = Array.from({ length: N }, (): number[] => []);
  for (let i = 0; i < count; i++) rows[list.data[list.at + i] as number]?.push(i);
  return rows;
}

/** Where the result of column v and row i begins. */
export function resultAt({ request: { from, strides }, target }: BoundRequest, v: number, i: number): number {
  return target.at + (v - from) * strides.v + i * strides.n;
}

function clear(bound: BoundRequest, size: number): void {
  const { from, to, strides, form } = bound.request;
  const entries = form === 'norm' ? 1 : size;
  for (let v = from; v < (strides.v === 0 ? Math.min(to, from + 1) : to); v++)
    for (let i = 0; i < (strides.n === 0 ? 1 : bound.rows); i++) {
      const at = resultAt(bound, v, i);
      bound.target.data.fill(0, at, at + entries);
    }
}
