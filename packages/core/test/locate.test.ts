import { describe, expect, test } from 'vitest';
import { covers, locate } from '../src/backend/fusion/locate.js';

const walk = (shape: number[], strides: number[], offset = 0) => ({ shape, strides, offset });
/** Coordinates that the parts give, for each element of the reader in order. */
function coordinates(...[reader, written]: Parameters<typeof locate>): number[][] | undefined {
  const at = locate(reader, written);
  if (!at) return undefined;
  let found = [[...at.first]];
  for (const { extent, along } of at.parts)
    found = found.flatMap((from) =>
      Array.from({ length: extent }, (_, i) => from.map((c, axis) => (along?.axis === axis ? c + i * along.step : c))),
    );
  return found;
}

describe('a reader in the loop that wrote', () => {
  test('of the same form', () => {
    expect(coordinates(walk([2, 2], [2, 1]), walk([2, 2], [2, 1]))).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
  });
  test('that has axes which the writer joined', () => {
    expect(coordinates(walk([2, 3], [3, 1], 5), walk([12], [1], 4))).toEqual([[1], [2], [3], [4], [5], [6]]);
  });
  test('that joined axes which the writer has', () => {
    expect(locate(walk([12], [1]), walk([2, 2, 3], [6, 3, 1]))?.parts).toEqual([
      { axis: 0, extent: 2, times: 6, along: { axis: 0, step: 1 } },
      { axis: 0, extent: 2, times: 3, along: { axis: 1, step: 1 } },
      { axis: 0, extent: 3, times: 1, along: { axis: 2, step: 1 } },
    ]);
    expect(coordinates(walk([4], [1]), walk([2, 2], [2, 1]))).toEqual(
      coordinates(walk([2, 2], [2, 1]), walk([2, 2], [2, 1])),
    );
  });
  test('turned, backwards, in strides and standing still', () => {
    const written = walk([2, 3], [3, 1]);
    expect(coordinates(walk([3, 2], [1, 3]), written)?.slice(0, 3)).toEqual([
      [0, 0],
      [1, 0],
      [0, 1],
    ]);
    expect(coordinates(walk([3], [-1], 5), written)).toEqual([
      [1, 2],
      [1, 1],
      [1, 0],
    ]);
    expect(coordinates(walk([2, 2], [0, 2]), written)).toEqual([
      [0, 0],
      [0, 2],
      [0, 0],
      [0, 2],
    ]);
  });
  test('inside what was written with gaps', () => {
    expect(coordinates(walk([2, 2], [5, 1], 16), walk([3, 3], [5, 1], 10))).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
      [2, 2],
    ]);
  });

  test.each([
    ['begins before', walk([2], [1], 3), walk([4], [1], 4)],
    ['ends behind', walk([4], [1], 5), walk([4], [1], 4)],
    ['begins in a gap', walk([1], [1], 4), walk([2, 3], [5, 1])],
    ['passes a gap', walk([6], [1]), walk([2, 3], [5, 1])],
    ['passes a border in the midst', walk([3], [1], 1), walk([2, 3], [3, 1])],
    ['walks diagonally', walk([3], [4]), walk([3, 3], [3, 1])],
    ['ends in the midst of a row', walk([5], [1]), walk([2, 3], [3, 1])],
    ['reads what was written in overlapping loops', walk([4], [1]), walk([2, 3], [2, 1])],
  ])('that %s is not located', (_, reader, written) => {
    expect(locate(reader, written)).toBeUndefined();
  });
});

test('a loop covers a range where it has no gap and no overlap', () => {
  expect(covers(walk([3, 2], [1, 3], 4), 4, 6)).toBe(true);
  expect(covers(walk([3, 2], [2, 1], 4), 4, 6)).toBe(true);
  expect(covers(walk([3, 2], [3, 1], 4), 4, 6)).toBe(false);
  expect(covers(walk([3, 2], [2, 1], 3), 4, 6)).toBe(false);
  expect(covers(walk([3, 2], [2, 1], 4), 4, 7)).toBe(false);
});
