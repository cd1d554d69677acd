import type { Window } from '@gradpack/core';
import { describe, expect, it } from 'vitest';
import { garbage, garbageIds, runKernel } from './run-kernel.js';

const window: Window = {
  input: [4],
  kernel: [2],
  output: [3],
  stride: [2],
  dilation: [1],
  low: [1],
  transposed: false,
  mode: 'zeros',
};

describe('maxPool', () => {
  it('gives the largest entries and where they stand; padding never wins', async () => {
    expect(await runKernel('maxPool', { rows: 1, window }, [[-5, 2, 3, -1]], [garbage(3), garbageIds(3)])).toEqual([
      [-5, 3, -1],
      [0, 2, 3],
    ]);
  });
  it('takes the first of equals, and NaN before all', async () => {
    const pairs = { ...window, output: [2], low: [0] };
    expect(
      await runKernel(
        'maxPool',
        { rows: 2, window: pairs },
        [[7, 7, 1, Number.NaN, Number.NaN, 9, 2, 1]],
        [garbage(4), garbageIds(4)],
      ),
    ).toEqual([
      [7, Number.NaN, Number.NaN, 2],
      [0, 3, 0, 2],
    ]);
  });
  it('dilates', async () => {
    const dilated = { ...window, output: [1], low: [0], dilation: [3] };
    expect(
      await runKernel('maxPool', { rows: 1, window: dilated }, [[1, 9, 9, 2]], [garbage(1), garbageIds(1)]),
    ).toEqual([[2], [3]]);
  });
});

describe('averagePool', () => {
  it('divides by what it is told', async () => {
    expect(
      await runKernel('averagePool', { rows: 1, window, divisors: [1, 2, 4] }, [[1, 2, 4, 8]], [garbage(3)]),
    ).toEqual([[1, 3, 2]]);
  });
  it('has an adjoint', async () => {
    expect(
      await runKernel('averagePoolTransposed', { rows: 1, window, divisors: [1, 2, 4] }, [[1, 2, 4]], [garbage(4)]),
    ).toEqual([[1, 1, 1, 1]]);
  });
});
