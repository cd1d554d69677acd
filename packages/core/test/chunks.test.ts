import { expect, test } from 'vitest';
import { chunks } from '../src/engine/chunks.js';
import type { Source } from '../src/signal/source.js';

const source = (V: number): Source => ({ V }) as Source;
const piecesOf = (...widths: number[]) => widths.map((to) => ({ source: source(to), from: 0, to }));
const widthsOf = (widths: readonly number[], columns: number) =>
  chunks(piecesOf(...widths), columns).map((pieces) => pieces.map(({ from, to }) => [from, to]));

test('one pass where all columns fit', () => {
  expect(widthsOf([1, 9], 10)).toEqual([[[0, 1], [0, 9]]]); // biome-ignore format: one line a pass
  expect(widthsOf([1, 9], Number.POSITIVE_INFINITY)).toHaveLength(1);
});
test('passes of nearly one size', () => {
  expect(widthsOf([1, 9], 9)).toEqual([[[0, 1], [0, 4]], [[4, 9]]]); // biome-ignore format: one line a pass
  expect(widthsOf([10], 4)).toEqual([[[0, 4]], [[4, 7]], [[7, 10]]]);
});
test('one column at a time', () => {
  expect(widthsOf([1, 2], 1)).toEqual([[[0, 1]], [[0, 1]], [[1, 2]]]);
});
test('nothing to do', () => {
  expect(widthsOf([], 3)).toEqual([]);
});
