import { describe, expect, test } from 'vitest';
import { GradPackError } from '../src/errors/gradpack-error.js';
import { flatten } from '../src/tensor/host-array.js';
import { sameShape, showShape, sizeOf, stridesOf } from '../src/tensor/shape.js';

describe('shapes', () => {
  test('size, strides, text', () => {
    expect(sizeOf([2, 3, 4])).toBe(24);
    expect(sizeOf([])).toBe(1);
    expect(sizeOf([2, 0])).toBe(0);
    expect(stridesOf([2, 3, 4])).toEqual([12, 4, 1]);
    expect(stridesOf([])).toEqual([]);
    expect(showShape([2, 3])).toBe('[2, 3]');
    expect([sameShape([2, 3], [2, 3]), sameShape([2], [2, 1]), sameShape([], [])]).toEqual([true, false, true]);
  });
});

describe('host numbers', () => {
  const shown = (x: unknown) => {
    const { shape, data } = flatten(x as never, 'test');
    return { shape, data: Array.from(data) };
  };
  test.each([
    ['a number', 3, { shape: [], data: [3] }],
    [
      'nested arrays',
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      { shape: [3, 2], data: [1, 2, 3, 4, 5, 6] },
    ],
    ['a typed array', Float32Array.of(1, 2), { shape: [2], data: [1, 2] }],
    ['typed rows', [Int32Array.of(1, 2), Int32Array.of(3, 4)], { shape: [2, 2], data: [1, 2, 3, 4] }],
    ['data with a shape', { data: [1, 2, 3, 4], shape: [2, 2] }, { shape: [2, 2], data: [1, 2, 3, 4] }],
    ['nothing', [], { shape: [0], data: [] }],
    ['empty rows', [[], []], { shape: [2, 0], data: [] }],
  ])('%s', (_, x, expected) => {
    expect(shown(x)).toEqual(expected);
  });
  test('typed arrays are not copied', () => {
    const data = Float32Array.of(1, 2);
    expect(flatten(data, 'test').data).toBe(data);
    expect(flatten({ data, shape: [1, 2] }, 'test').data).toBe(data);
  });
  test.each([
    ['rows of different lengths', [[1, 2], [3]], 'GRADPACK-SHAPE'],
    ['a row in place of a number', [1, [2]], 'GRADPACK-SHAPE'],
    ['a number in place of a row', [[1], 2], 'GRADPACK-SHAPE'],
    ['too few entries', { data: [1, 2, 3], shape: [2, 2] }, 'GRADPACK-SHAPE'],
    ['negative extents', { data: [1, 2], shape: [-1, -2] }, 'GRADPACK-SHAPE'],
    ['fractions of extents', { data: [1], shape: [0.5, 2] }, 'GRADPACK-SHAPE'],
    ['null', null, 'GRADPACK-DTYPE'],
    ['text', 'abc', 'GRADPACK-DTYPE'],
    ['text inside', [['1']], 'GRADPACK-DTYPE'],
    ['a map', new Map(), 'GRADPACK-DTYPE'],
    ['a buffer without numbers', new DataView(new ArrayBuffer(4)), 'GRADPACK-DTYPE'],
  ])('refused: %s', (_, x, code) => {
    let error: unknown;
    try {
      flatten(x as never, 'test');
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(GradPackError);
    expect(error).toMatchObject({ code, where: 'test' });
  });
});

describe('errors', () => {
  test('the message holds every part, detail what was expected and what came', () => {
    const cause = new Error('below');
    const error = new GradPackError('GRADPACK-SHAPE', 'it does not fit', {
      where: 'here',
      expected: '[2]',
      got: '[3]',
      fix: 'make it fit',
      detail: { more: 1 },
      cause,
    });
    expect(error.message).toBe(
      'GRADPACK-SHAPE: it does not fit\n  where: here\n  expected: [2]\n  got: [3]\n  fix: make it fit',
    );
    expect(error).toMatchObject({
      name: 'GradPackError',
      code: 'GRADPACK-SHAPE',
      where: 'here',
      fix: 'make it fit',
      cause,
    });
    expect(error.detail).toEqual({ expected: '[2]', got: '[3]', more: 1 });
    const moved = error.at('there');
    expect(moved.message).toBe(error.message.replace('where: here', 'where: there'));
    expect(moved).toMatchObject({ where: 'there', detail: error.detail, cause });
  });
});
