import { describe, expect, test } from 'vitest';
import { broadcastShape, broadcastStrides, collapse, coordinatesOf, renumberAxes } from '../src/backend/broadcast.js';
import { add, coordinate, input, where } from '../src/backend/expression.js';
import { stridesOf } from '../src/tensor/shape.js';

describe('broadcasting', () => {
  test('aligns at the last axis and stretches extents of 1', () => {
    expect(broadcastShape([[3, 1, 5], [4, 1], []])).toEqual([3, 4, 5]);
    expect(broadcastShape([[1], [0]])).toEqual([0]);
    expect(broadcastShape([])).toEqual([]);
    expect(() => broadcastShape([[2], [3]])).toThrow('[2], [3]');
  });
  test('strides are 0 where an axis is stretched', () => {
    expect(broadcastStrides([4, 1], [3, 4, 5])).toEqual([0, 1, 0]);
    expect(broadcastStrides([3, 4, 5], [3, 4, 5])).toEqual([20, 5, 1]);
    expect(broadcastStrides([], [2, 2])).toEqual([0, 0]);
    expect(() => broadcastStrides([2], [3])).toThrow(RangeError);
    expect(() => broadcastStrides([2, 3], [3])).toThrow(RangeError);
  });
});

describe('collapse', () => {
  /** Offsets of every lane in the order of the loops. */
  const offsets = (shape: readonly number[], lanes: readonly (readonly number[])[]) => {
    const found: number[][] = [];
    const visit = (axis: number, at: readonly number[]): void => {
      if (axis === shape.length) {
        found.push([...at]);
        return;
      }
      for (let i = 0; i < shape[axis]!; i++)
        visit(
          axis + 1,
          at.map((offset, lane) => offset + i * lanes[lane]![axis]!),
        );
    };
    visit(
      0,
      lanes.map(() => 0),
    );
    return found;
  };

  test.each([
    [
      'all contiguous: one loop',
      [2, 3, 4],
      [
        [2, 3, 4],
        [2, 3, 4],
      ],
      [],
      [24],
    ],
    [
      'a stretched first axis',
      [2, 3, 4],
      [
        [3, 4],
        [2, 3, 4],
      ],
      [],
      [2, 12],
    ],
    [
      'a stretched middle axis',
      [2, 3, 4],
      [
        [2, 1, 4],
        [2, 3, 4],
      ],
      [],
      [2, 3, 4],
    ],
    ['extents of 1 are dropped', [1, 3, 1, 4], [[1, 3, 1, 4]], [], [12]],
    ['pinned axes stay apart', [2, 3, 4], [[2, 3, 4]], [1], [2, 3, 4]],
    ['a pinned last axis', [2, 3, 4], [[2, 3, 4]], [2], [6, 4]],
    ['a scalar', [], [[]], [], [1]],
  ] as const)('%s', (_, shape, from, pinned, expected) => {
    const lanes = from.map((own) => broadcastStrides(own, shape));
    const loops = collapse(shape, lanes, new Set(pinned));
    expect(loops.shape).toEqual(expected);
    expect(offsets(loops.shape, loops.lanes)).toEqual(offsets(shape, lanes));
  });
  test('a permutation walks the same way', () => {
    const strides = stridesOf([2, 3, 4]);
    const lanes = [[strides[2]!, strides[0]!, strides[1]!], stridesOf([4, 2, 3])];
    const loops = collapse([4, 2, 3], lanes, new Set());
    expect(loops.shape).toEqual([4, 6]);
    expect(offsets(loops.shape, loops.lanes)).toEqual(offsets([4, 2, 3], lanes));
  });
});

test('coordinates are found and renumbered; that of a dropped axis is 0', () => {
  const e = where(coordinate(2), add(coordinate(0), input(0)), input(1));
  expect([...coordinatesOf(e)].sort()).toEqual([0, 2]);
  expect(renumberAxes(e, [1, -1, -1])).toEqual(
    where({ op: 'constant', value: 0 }, { op: 'add', a: coordinate(1), b: input(0) }, input(1)),
  );
});
