import type { FactorSpec, Window } from '@gradpack/core';
import { type CaseRecorder, type ConformanceCase, recordCase } from '../conformance-case.js';
import type { Draw } from '../draw.js';
import { denseFactor, type FactorLayout, type OperandList, operandList, unfoldedFactor } from './outer-recorder.js';
import { WINDOWS, windowOf } from './windows.js';

type MakeFactors = (record: CaseRecorder, list: OperandList) => readonly FactorSpec[];

export function gramCases(draw: Draw): readonly ConformanceCase[] {
  const one = (name: string, make: MakeFactors, from: number, to: number): readonly ConformanceCase[] =>
    (['each', 'sum'] as const).map((positions, i) => {
      const record = recordCase();
      const list = operandList();
      const factors = make(record, list);
      const { G, F } = factors[0] as FactorSpec;
      record.call('gram', { factors, positions, from, to, scale: 0.25, accumulate: i === 1 }, list.reads, [
        record.output(draw.values(G * F * F + 2), 'float64', 1),
      ]);
      return record.finish(`gram: ${name}, positions ${positions}`);
    });
  const dense =
    (layout: FactorLayout, V: number, N: number, G: number, F: number, T: number): MakeFactors =>
    (record, list) => [denseFactor(record, draw, list, { V, N, G, F, T }, layout)];
  const unfolded = Object.entries(WINDOWS).flatMap(([name, window]) =>
    one(
      `unfolded, ${name}`,
      (record, list) => [unfoldedFactor(record, draw, list, { V: 1, N: 2, G: 2, C: 2, window })],
      0,
      1,
    ),
  );
  // enough channels and positions for backends that share products between pairs of kernel offsets
  const channels =
    (C: number, window: Window, V = 1, N = 2, G = 1): MakeFactors =>
    (record, list) => [unfoldedFactor(record, draw, list, { V, N, G, C, window })];
  const manyChannels = [
    ...one('9 channels, padded', channels(9, windowOf([6, 7], [3, 3], { low: [1, 1] })), 0, 1),
    ...one('8 channels, 1 axis', channels(8, windowOf([200], [2])), 0, 1),
    ...one('40 channels', channels(40, windowOf([66], [2], { low: [1], high: [0] })), 0, 1),
    ...one('8 channels, dilated', channels(8, windowOf([9, 11], [2, 3], { dilation: [3, 2], low: [2, 0] })), 0, 1),
    ...one('8 channels, few outputs', channels(8, windowOf([2, 3], [4, 3], { low: [2, 1] }), 1, 11), 0, 1),
    ...one('8 channels, columns and groups', channels(8, windowOf([7, 5], [2, 2]), 3, 3, 2), 1, 4),
    ...one('8 channels, stride', channels(8, windowOf([13, 13], [2, 2], { stride: [2, 1] })), 0, 1),
    ...one(
      'tied, 8 channels',
      (record, list) => [
        ...channels(8, windowOf([6, 6], [2, 2], { low: [1, 1] }))(record, list),
        ...dense('contiguous', 1, 2, 1, 32, 3)(record, list),
      ],
      0,
      1,
    ),
  ];
  return [
    ...manyChannels,
    ...one('one number', dense('contiguous', 1, 1, 1, 1, 1), 0, 1),
    ...one('T 1', dense('contiguous', 3, 4, 1, 9, 1), 0, 3),
    ...one('later columns', dense('contiguous', 4, 3, 1, 5, 3), 1, 3),
    ...one('columns beyond', dense('contiguous', 2, 3, 1, 5, 3), 1, 4),
    ...(['positions first', 'same at each position', 'same for each sample', 'gaps'] as const).flatMap((layout) =>
      one(layout, dense(layout, 2, 3, 2, 4, 5), 0, 2),
    ),
    ...one('over tile borders', dense('contiguous', 1, 5, 1, 67, 9), 0, 1),
    ...one(
      'tied factors',
      (record, list) => [
        denseFactor(record, draw, list, { V: 2, N: 3, G: 1, F: 8, T: 4 }),
        denseFactor(record, draw, list, { V: 1, N: 3, G: 1, F: 8, T: 1 }, 'positions first'),
        unfoldedFactor(record, draw, list, { V: 1, N: 3, G: 1, C: 2, window: windowOf([4, 4], [2, 2]) }),
      ],
      0,
      2,
    ),
    ...unfolded,
  ];
}
