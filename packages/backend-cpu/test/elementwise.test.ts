import { compileExpression, expression } from '@gradpack/core';
import { describe, expect, it } from 'vitest';
import { garbage, runKernel } from './run-kernel.js';

const { add, coordinate, input, less, mul, where } = expression;
const float = (strides: readonly number[]) => ({ strides, dtype: 'float64' as const });

describe('fill', () => {
  it('sets the first elements', async () => {
    expect(await runKernel('fill', { length: 2, value: 7 }, [], [[1, 2, 3]])).toEqual([[7, 7, 3]]);
    expect(await runKernel('fill', { length: 1, value: -2 }, [], [{ ids: [5, 6] }])).toEqual([[-2, 6]]);
  });
});

describe('copy', () => {
  const spec = { dtype: 'float64' as const, shape: [2, 3], accumulate: false };
  it('transposes by strides', async () => {
    expect(await runKernel('copy', { ...spec, from: [1, 2], to: [3, 1] }, [[1, 2, 3, 4, 5, 6]], [garbage(6)])).toEqual([
      [1, 3, 5, 2, 4, 6],
    ]);
  });
  it('repeats where a stride is 0', async () => {
    expect(await runKernel('copy', { ...spec, from: [0, 1], to: [3, 1] }, [[1, 2, 3]], [garbage(6)])).toEqual([
      [1, 2, 3, 1, 2, 3],
    ]);
  });
  it('adds with accumulate, and leaves gaps alone', async () => {
    const call = { ...spec, shape: [2], from: [1], to: [2], accumulate: true };
    expect(await runKernel('copy', call, [[1, 2]], [[10, 20, 30, 40]])).toEqual([[11, 20, 32, 40]]);
  });
});

describe('map', () => {
  it('runs the expression on every element', async () => {
    const relu = compileExpression(where(less(input(0), 0), 0, input(0)));
    const spec = { shape: [5], inputs: [float([1])], to: [1], expression: relu, accumulate: false };
    expect(await runKernel('map', spec, [[-1, 2, Number.NaN, 0, -3]], [garbage(5)])).toEqual([
      [0, 2, Number.NaN, 0, 0],
    ]);
  });
  it('broadcasts inputs, converts ids and knows coordinates', async () => {
    const e = compileExpression(add(mul(input(0), input(1)), mul(coordinate(0), 100)));
    const inputs = [float([0, 1]), { strides: [1, 0], dtype: 'int32' as const }];
    const spec = { shape: [2, 3], inputs, to: [3, 1], expression: e, accumulate: false };
    expect(await runKernel('map', spec, [[1, 2, 3], { ids: [2, 3] }], [garbage(6)])).toEqual([
      [2, 4, 6, 103, 106, 109],
    ]);
  });
});

describe('reduce', () => {
  const identity = compileExpression(input(0));
  const rows = { kept: [2], reduced: [3], inputs: [float([3, 1])], expression: identity, scale: 1, accumulate: false };
  it('sums rows, scaled and accumulated', async () => {
    const spec = { ...rows, operation: 'sum' as const, scale: 0.5, accumulate: true };
    expect(await runKernel('reduce', spec, [[1, 2, 3, 4, 5, 6]], [[10, 20]])).toEqual([[13, 27.5]]);
  });
  it('sums columns', async () => {
    const spec = { ...rows, kept: [3], reduced: [2], inputs: [float([1, 3])], operation: 'sum' as const };
    expect(await runKernel('reduce', spec, [[1, 2, 3, 4, 5, 6]], [garbage(3)])).toEqual([[5, 7, 9]]);
  });
  it('takes the maximum, NaN wins', async () => {
    const spec = { ...rows, operation: 'max' as const };
    expect(await runKernel('reduce', spec, [[-1, -2, -3, 4, Number.NaN, 6]], [garbage(2)])).toEqual([[-1, Number.NaN]]);
  });
  it('keeps the meaning of coordinates where the kept axis varies fastest', async () => {
    const e = compileExpression(mul(input(0), coordinate(1)));
    const spec = {
      ...rows,
      kept: [3],
      reduced: [2],
      inputs: [float([1, 3])],
      operation: 'sum' as const,
      expression: e,
    };
    expect(await runKernel('reduce', spec, [[1, 2, 3, 4, 5, 6]], [garbage(3)])).toEqual([[4, 5, 6]]);
  });
});
