import { type Expression, input } from '../backend/expression.js';
import type { Recorder } from '../backend/recorder.js';
import type { TensorRef } from '../backend/tensor-ref.js';

/** Columns [at, at + V) of a pass's numbering, arriving at one value. */
export interface Arrival {
  readonly at: number;
  readonly columns: TensorRef;
}

/**
 * The stack at a value: every value holds a prefix [0, V) of the pass's columns, the sum of what arrived; a shorter arrival counts
 * as zero beyond its end.
 */
export function assemble(arrivals: readonly Arrival[], k: Recorder): TensorRef | undefined {
  const [first] = arrivals;
  if (!first) return undefined;
  if (arrivals.length === 1 && first.at === 0) return first.columns;
  const ends = arrivals.map(({ at, columns }) => at + (columns.shape[0] as number));
  const V = Math.max(...ends);
  const [, ...rest] = first.columns.shape;
  const stack = k.external([V, ...rest], k.precision, 'scratch');
  const cuts = [...new Set([0, ...arrivals.map(({ at }) => at), ...ends])].sort((a, b) => a - b);
  for (let i = 0; i + 1 < cuts.length; i++) {
    const [from, to] = [cuts[i] as number, cuts[i + 1] as number];
    const target = k.rows(stack, from, to);
    const here = arrivals
      .filter(({ at }, j) => at <= from && (ends[j] as number) >= to)
      .map(({ at, columns }) => k.rows(columns, from - at, to - at));
    if (here.length === 0) k.fillInto(target, 0);
    else if (here.length === 1) k.copyInto(target, here[0] as TensorRef);
    else k.mapOver(target, sumOf(here.length), here);
  }
  return stack;
}

function sumOf(count: number): Expression {
  let sum = input(0);
  for (let i = 1; i < count; i++) sum = { op: 'add', a: sum, b: input(i) };
  return sum;
}
