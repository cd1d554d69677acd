import type { ExpressionProgram, Kernel } from '@gradpack/core';
import { sizeOf } from '@gradpack/core';
import { BLOCK, expressionBlocks } from './expression-block.js';
import type { CpuKernel } from './place.js';
import { operand } from './place.js';

export const reduce: CpuKernel<'reduce'> = (spec, reads, writes) => {
  const { kept, reduced, operation, scale, accumulate } = spec;
  const keptSize = sizeOf(kept);
  const reducedSize = sizeOf(reduced);
  const initial = operation === 'sum' ? 0 : Number.NEGATIVE_INFINITY;
  const totals = new Float64Array(keptSize).fill(initial);
  const columns = keptVariesFastest(spec);
  const order = columns ? reducedFirst(spec) : spec;
  const evaluate = expressionBlocks(order.expression, [...order.kept, ...order.reduced], order.inputs, reads);
  const size = keptSize * reducedSize;
  for (let start = 0; start < size; start += BLOCK) {
    const count = Math.min(BLOCK, size - start);
    const values = evaluate(start, count);
    if (columns) intoColumns(totals, values, start, count, operation);
    else intoRows(totals, values, start, count, reducedSize, operation);
  }
  const y = operand(writes, 0);
  for (let i = 0; i < keptSize; i++) {
    const value = operation === 'sum' ? scale * (totals[i] as number) : (totals[i] as number);
    y.data[y.at + i] = accumulate ? (y.data[y.at + i] as number) + value : value;
  }
};

type ReduceSpec = Kernel['reduce'];

/** Whether the kept axes lie nearer in memory than the reduced ones, as for a sum over the rows of a matrix. */
function keptVariesFastest({ kept, reduced, inputs }: ReduceSpec): boolean {
  if (kept.length === 0 || reduced.length === 0) return false;
  const nearest = (strides: readonly number[]): number =>
    Math.min(...strides.map(Math.abs).filter((stride) => stride > 0), Number.MAX_VALUE);
  const strides = inputs.map((lane) => lane.strides).filter((s) => s.some((stride) => stride !== 0));
  return strides.length > 0 && strides.every((s) => nearest(s.slice(0, kept.length)) < nearest(s.slice(kept.length)));
}

/** The same iteration with the reduced axes outside; coordinates keep their meaning. */
function reducedFirst({
  kept,
  reduced,
  inputs,
  expression,
}: ReduceSpec): Pick<ReduceSpec, 'kept' | 'reduced' | 'inputs' | 'expression'> {
  const swap = (strides: readonly number[]): number[] => [
    ...strides.slice(kept.length),
    ...strides.slice(0, kept.length),
  ];
  const renamed = (axis: number): number => (axis < kept.length ? axis + reduced.length : axis - kept.length);
  const instructions: ExpressionProgram['instructions'] = expression.instructions.map((i) =>
    i.op === 'coordinate' ? { ...i, value: renamed(i.value) } : i,
  );
  return {
    kept: reduced,
    reduced: kept,
    inputs: inputs.map((lane) => ({ ...lane, strides: swap(lane.strides) })),
    expression: { ...expression, instructions },
  };
}

function intoColumns(
  totals: Float64Array,
  values: Float64Array,
  start: number,
  count: number,
  operation: 'sum' | 'max',
): void {
  let column = start % totals.length;
  for (let i = 0; i < count; i++) {
    const [total, value] = [totals[column] as number, values[i] as number];
    totals[column] = operation === 'sum' ? total + value : Math.max(total, value);
    if (++column === totals.length) column = 0;
  }
}

function intoRows(
  totals: Float64Array,
  values: Float64Array,
  start: number,
  count: number,
  rowSize: number,
  operation: 'sum' | 'max',
): void {
  let done = 0;
  while (done < count) {
    const row = Math.floor((start + done) / rowSize);
    const end = Math.min(count, (row + 1) * rowSize - start);
    let total = totals[row] as number;
    if (operation === 'sum') for (; done < end; done++) total += values[done] as number;
    else for (; done < end; done++) total = Math.max(total, values[done] as number);
    totals[row] = total;
  }
}
