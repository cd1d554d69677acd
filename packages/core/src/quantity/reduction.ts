import type { Shape } from '../tensor/shape.js';

/**
 * A reduction of `G[v,n]`, the parameter-Jacobian-transpose of each column and sample. `over` says what is summed:
 *
 * | over | shape |
 * |---|---|
 * | `none` | [V, N, ...θ] |
 * | `columns` | [N, ...θ] |
 * | `samples` | [V, ...θ] |
 * | `all` | [...θ] |
 */
export interface Reduction {
  readonly over: 'none' | 'columns' | 'samples' | 'all';
  /** Of G² in place of G. */
  readonly square?: boolean;
  /** Of Σ_θ G², which drops θ from the shape. */
  readonly norm?: boolean;
  /** The variance over the samples of the one column, divided by N; `over: 'all'`. */
  readonly centred?: boolean;
  /** For one column: drop V from the shape of `none` ([N, ...θ]). */
  readonly single?: boolean;
  /** Rows of the batch to give in place of all, repeats allowed; `none` and `columns` only. */
  readonly samples?: readonly number[];
}

/** Shape of a reduction's result for V columns and N samples (or listed rows). */
export function reductionShape(reduction: Reduction, V: number, N: number, theta: Shape): Shape {
  const rows = reduction.samples?.length ?? N;
  const tail = reduction.norm ? [] : theta;
  switch (reduction.over) {
    case 'none':
      return reduction.single ? [rows, ...tail] : [V, rows, ...tail];
    case 'columns':
      return [rows, ...tail];
    case 'samples':
      return [V, ...tail];
    case 'all':
      return tail;
  }
}
