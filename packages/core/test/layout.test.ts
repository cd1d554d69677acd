import { describe, expect, test } from 'vitest';
import { add, input, mul } from '../src/backend/expression.js';
import { assignSlots } from '../src/backend/layout.js';
import type { ProgramBuffer } from '../src/backend/program.js';
import { Recorder } from '../src/backend/recorder.js';
import { Recording } from '../src/backend/recording.js';

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
  test('by type', () => {
    const { slots } = assignSlots([scratch(8, 0, 0), scratch(8, 1, 1, 'int32')]);
    expect(slots).toHaveLength(2);
  });
  test('only for scratch', () => {
    const kept: ProgramBuffer = { ...scratch(8, 0, 1), role: 'kept' };
    expect(assignSlots([kept])).toEqual({ slots: [], buffers: [kept] });
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
