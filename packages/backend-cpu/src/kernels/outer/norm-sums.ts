import { type BoundRequest, resultAt } from './bound-request.js';

/** Collects `w ‖G[v,n]‖²` for a request, whatever parts it comes in. */
export interface NormSums {
  add(v: number, n: number, squares: number): void;
  finish(): void;
}

export function normSums(bound: BoundRequest): NormSums {
  const { from, to, strides } = bound.request;
  const columns = strides.v === 0 ? 1 : to - from;
  const rows = strides.n === 0 ? 1 : bound.rows;
  const totals = new Float64Array(columns * rows);
  return {
    add(v, n, squares) {
      const column = strides.v === 0 ? 0 : v - from;
      for (const i of bound.rowsOf(n)) {
        const place = column * rows + (strides.n === 0 ? 0 : i);
        totals[place] = (totals[place] as number) + bound.weight(v, n) * squares;
      }
    },
    finish() {
      for (let column = 0; column < columns; column++)
        for (let i = 0; i < rows; i++) {
          const at = resultAt(bound, from + column, i);
          bound.target.data[at] = (bound.target.data[at] as number) + (totals[column * rows + i] as number);
        }
    },
  };
}
