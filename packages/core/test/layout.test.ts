import { describe, expect, test } from 'vitest';
import { add, input, max, mul } from '../src/backend/expression.js';
import { assignSlots } from '../src/backend/layout.js';
import type { ProgramBuffer } from '../src/backend/program.js';
import { Recorder } from '../src/backend/recorder.js';
import { Recording } from '../src/backend/recording.js';
import type { TensorRef } from '../src/backend/tensor-ref.js';

const scratch = (
  length: number,
  first: number,
  last: number,
  dtype: ProgramBuffer['dtype'] = 'float32',
): ProgramBuffer => ({
  dtype,
  length,
  role: 'scratch',
  first,
  last,
});

describe('slots', () => {
  test('are shared by buffers whose lives do not meet', () => {
    const { slots, buffers } = assignSlots([scratch(8, 0, 1), scratch(4, 1, 2), scratch(8, 2, 3)]);
    expect(buffers.map(({ slot }) => slot)).toEqual([0, 1, 0]);
    expect(slots).toEqual([
      { dtype: 'float32', length: 8 },
      { dtype: 'float32', length: 4 },
    ]);
  });
  test('not by buffers of one call, which may not read what it writes', () => {
    const { buffers } = assignSlots([scratch(8, 0, 1), scratch(8, 1, 1)]);
    expect(new Set(buffers.map(({ slot }) => slot)).size).toBe(2);
  });
  test('the free slot that fits best, else the largest grows', () => {
    const lives = [scratch(10, 0, 0), scratch(6, 0, 0), scratch(2, 0, 0), scratch(5, 1, 1), scratch(12, 1, 1)];
    const { slots, buffers } = assignSlots(lives);
    expect(buffers.map(({ slot }) => slot)).toEqual([0, 1, 2, 1, 0]);
    expect(slots.map(({ length }) => length)).toEqual([12, 6, 2]);
  });
  test('large ones first where that takes less: a small one would hold the room of a large one', () => {
    const { slots, buffers } = assignSlots([scratch(10, 0, 0), scratch(1, 1, 9), scratch(10, 2, 2)]);
    expect(buffers.map(({ slot }) => slot)).toEqual([0, 1, 0]);
    expect(slots.map(({ length }) => length)).toEqual([10, 1]);
  });
  test('by type', () => {
    const { slots } = assignSlots([scratch(8, 0, 0), scratch(8, 1, 1, 'int32')]);
    expect(slots).toHaveLength(2);
  });
  test('only for scratch', () => {
    const kept: ProgramBuffer = { ...scratch(8, 0, 1), role: 'kept' };
    expect(assignSlots([kept])).toEqual({ slots: [], buffers: [kept] });
  });
  test('nor by a result and the operand that ends there, but where it takes over', () => {
    const lives = [scratch(8, 0, 1), scratch(8, 1, 2), scratch(8, 2, 4), scratch(8, 3, 3)];
    expect(assignSlots(lives, new Map([[1, 0], [2, 1]])).buffers.map(({ slot }) => slot)).toEqual([0, 0, 0, 1]); // biome-ignore format: one line
    expect(assignSlots(lives).slots).toHaveLength(2);
  });
  test('random lives never overlap in a slot', () => {
    let state = 1;
    const next = (n: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * n);
    };
    const lives = Array.from({ length: 200 }, () => {
      const first = next(100);
      return scratch(1 + next(50), first, first + next(20));
    });
    const { slots, buffers } = assignSlots(lives);
    expect(slots.length).toBeLessThan(60);
    buffers.forEach((a, i) => {
      expect(slots[a.slot!]!.length).toBeGreaterThanOrEqual(a.length);
      for (const b of buffers.slice(i + 1))
        if (a.slot === b.slot) expect(a.last < b.first || b.last < a.first).toBe(true);
    });
  });
});

describe('a map in place', () => {
  const [x, y] = [input(0), input(1)];
  /** Slots of the scratch buffers, in order. */
  const slotsOf = (record: (k: Recorder) => TensorRef, mapsInPlace = true) => {
    const recording = new Recording({ mapsInPlace });
    const k = new Recorder('float32', recording);
    k.promote(k.gemm(record(k), given(k, [2, 2]), PRODUCT, [2, 2]));
    const { buffers } = recording.finish(new Set()).program;
    return buffers.flatMap(({ role, slot }) => (role === 'scratch' ? [slot] : []));
  };
  const PRODUCT = { M: 2, N: 2, K: 2, a: { m: 2, k: 1 }, b: { k: 2, n: 1 } };
  const given = (k: Recorder, shape: number[]) => k.external(shape, 'float32', 'input');
  const product = (k: Recorder) => k.gemm(given(k, [2, 2]), given(k, [2, 2]), PRODUCT, [2, 2]);

  test('lies over an operand that ends there', () => {
    const relu = (k: Recorder) => k.map(max(x, 0), [product(k)]);
    expect(slotsOf(relu)).toEqual([0, 0]);
    expect(slotsOf(relu, false)).toEqual([0, 1]);
  });
  test('with other operands, which may be broadcast', () => {
    expect(slotsOf((k) => k.map(mul(x, y), [given(k, [2]), product(k)]))).toEqual([0, 0]);
    const broadcast = (k: Recorder) =>
      k.map(mul(x, y), [k.rows(product(k), 0, 1), given(k, [2, 2])], { shape: [2, 2] });
    expect(slotsOf(broadcast)).toEqual([0, 1]);
  });
  test('not over one that is read later, in another order, or twice in two orders', () => {
    const later = (k: Recorder) => {
      const a = product(k);
      return k.gemm(a, k.map(max(x, 0), [a]), PRODUCT, [2, 2]);
    };
    expect(new Set(slotsOf(later)).size).toBe(3);
    const transposed = (k: Recorder) => k.map(max(x, 0), [k.permute(product(k), [1, 0])]);
    expect(slotsOf(transposed)).toEqual([0, 1]);
    const both = (k: Recorder) => {
      const a = product(k);
      return k.map(add(x, y), [a, k.permute(a, [1, 0])]);
    };
    expect(slotsOf(both)).toEqual([0, 1]);
  });
  test('not over what it adds to, nor over bound memory', () => {
    const into = (k: Recorder) => k.map(mul(x, x), [product(k)], { into: product(k) });
    expect(slotsOf(into)).toEqual([0, 1]);
    expect(slotsOf((k) => k.map(max(x, 0), [given(k, [2, 2])]))).toEqual([0]);
  });
});

describe('a recording', () => {
  const make = () => {
    const recording = new Recording();
    return { recording, k: new Recorder('float32', recording) };
  };
  test('drops calls whose results nobody needs', () => {
    const { recording, k } = make();
    const x = k.external([4], 'float32', 'input');
    const used = k.map(mul(input(0), 2), [x]);
    k.map(add(input(0), 1), [used]); // not used
    k.promote(k.gemm(used, used, { M: 2, N: 2, K: 2, a: { m: 2, k: 1 }, b: { k: 2, n: 1 } }, [2, 2]));
    const { program, bound } = recording.finish(new Set());
    expect(program.calls.map(({ kernel }) => kernel)).toEqual(['map', 'gemm']);
    expect(program.buffers.map(({ role }) => role)).toEqual(['input', 'scratch', 'result']);
    expect(bound.map((buffer) => buffer?.role)).toEqual(['input', undefined, 'result']);
    expect(program.bytes).toEqual({ scratch: 16, kept: 0, results: 16 });
  });
  test('keeps effects', () => {
    const { recording, k } = make();
    k.clampIndices(k.external([3], 'int32', 'input'), 5);
    const { program } = recording.finish(new Set());
    expect(program.calls.map(({ kernel }) => kernel)).toEqual(['fill', 'clampIndices']);
  });
  test('tells what a later one reads, which is then kept', () => {
    const { recording, k } = make();
    const x = k.external([4], 'float32', 'input');
    const inner = k.map(mul(input(0), 2), [x]);
    k.promote(k.map(add(input(0), 3), [inner]));
    const later = new Recording();
    k.recording = later;
    k.promote(k.map(mul(input(0), input(0)), [inner]));
    expect([...later.foreign()]).toEqual([inner.buffer]);
    expect(recording.finish(later.foreign()).program.bytes).toEqual({ scratch: 0, kept: 16, results: 16 });
    expect(later.finish(new Set()).program.buffers.map(({ role }) => role)).toEqual(['kept', 'result']);
  });
});
