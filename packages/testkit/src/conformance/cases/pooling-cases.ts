import type { Window } from '@gradpack/core';
import { type ConformanceCase, recordCase } from '../conformance-case.js';
import type { Draw } from '../draw.js';
import { positions } from '../reference/position.js';
import { windowOf } from './windows.js';

/** Every pooling window holds at least one position of the input. */
const POOLS: Readonly<Record<string, Window>> = {
  'one position': windowOf([1], [1]),
  halves: windowOf([6, 6], [2, 2], { stride: [2, 2] }),
  'overlapping, padded': windowOf([7, 5], [3, 3], { stride: [2, 1], low: [1, 1] }),
  dilated: windowOf([9, 7], [2, 3], { dilation: [3, 2], low: [1, 0], stride: [2, 1] }),
  'ceil mode': windowOf([5, 5], [2, 2], { stride: [2, 2], low: [0, 0], high: [1, 1] }),
  '1 axis': windowOf([11], [3], { stride: [3], low: [1] }),
  '3 axes': windowOf([4, 3, 5], [2, 2, 2], { stride: [2, 1, 2] }),
  global: windowOf([4, 5], [4, 5]),
};

export function poolingCases(draw: Draw): readonly ConformanceCase[] {
  return Object.entries(POOLS)
    .flatMap(([name, window]) => {
      const rows = draw.whole(1, 7);
      const [S, T] = [positions(window.input), positions(window.output)];
      const divisors = Array.from({ length: T }, () => draw.whole(1, 9));
      const max = recordCase();
      max.call(
        'maxPool',
        { rows, window },
        [max.input(draw.eighths(rows * S + 1), 'float64', 1)],
        [max.fresh(rows * T, 'kept'), max.fresh(rows * T, 'kept', 'int32')],
      );
      const average = recordCase();
      average.call(
        'averagePool',
        { rows, window, divisors },
        [average.input(draw.values(rows * S + 1), 'float64', 1)],
        [average.output(draw.values(rows * T + 2), 'float64', 2)],
      );
      const adjoint = recordCase();
      adjoint.call(
        'averagePoolTransposed',
        { rows, window, divisors },
        [adjoint.input(draw.values(rows * T))],
        [adjoint.output(draw.values(rows * S + 2), 'float64', 1)],
      );
      return [
        max.finish(`maxPool: ${name}`),
        average.finish(`averagePool: ${name}`),
        adjoint.finish(`averagePoolTransposed: ${name}`),
      ];
    })
    .concat(maxPoolOfSpecialValues());
}

function maxPoolOfSpecialValues(): ConformanceCase {
  const { NaN: nan, NEGATIVE_INFINITY: low } = Number;
  const rows = [
    [1, nan, 3, 0],
    [3, 2, 1, nan],
    [low, low, low, low],
    [-5, -5, -7, -5],
    [low, 2, low, 2],
  ];
  const record = recordCase();
  record.call(
    'maxPool',
    { rows: rows.length, window: windowOf([4], [2], { low: [1] }) },
    [record.input(rows.flat())],
    [record.fresh(rows.length * 5, 'kept'), record.fresh(rows.length * 5, 'kept', 'int32')],
  );
  return record.finish('maxPool: NaN, −∞, ties and padding');
}
