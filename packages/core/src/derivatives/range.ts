/** Indices from, from + 1, …, to − 1. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** `[0, total)` in pieces of `size`, the last smaller. */
export function* pieces(total: number, size: number): Generator<Range> {
  for (let from = 0; from < total; from += size) yield { from, to: Math.min(total, from + size) };
}
