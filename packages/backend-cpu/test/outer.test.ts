import type { FactorSpec, OuterRequest, OuterTerm, Window } from '@gradpack/core';
import { describe, expect, it } from 'vitest';
import { garbage, runKernel, type Values } from './run-kernel.js';

/** [V, N, 1, F, T], contiguous. */
const dense = (read: number, V: number, N: number, F: number, T: number): FactorSpec => ({
  form: 'dense',
  read,
  V,
  N,
  G: 1,
  F,
  T,
  strides: { v: N * F * T, n: F * T, g: 0, f: T, t: 1 },
});
const view = (O: number, I: number) => ({ G: 1, O, C: I, K: 1, strides: { g: 0, o: I, c: 1, k: 1 } });
const sum: OuterRequest = { form: 'plain', from: 0, to: 1, into: 0, strides: { v: 0, n: 0 }, accumulate: false };
const each = (size: number): OuterRequest => ({ ...sum, strides: { v: 0, n: size } });

const run = (
  N: number,
  size: number,
  terms: readonly OuterTerm[],
  requests: readonly OuterRequest[],
  reads: readonly Values[],
  lengths: readonly number[],
) =>
  runKernel(
    'outer',
    { N, size, terms, requests: requests.map((r, into) => ({ ...r, into })) },
    reads,
    lengths.map(garbage),
  );

/** Two samples, G = [[3, 4, 6, 8]] and [[5, 6, 0, 0]] with θ = [2, 2], T = 1. */
const linear: OuterTerm = { kind: 'matrix', a: dense(0, 1, 2, 2, 1), u: dense(1, 1, 2, 2, 1), view: view(2, 2) };
const linearReads = [
  [1, 2, 1, 0],
  [3, 4, 5, 6],
];

describe('outer, forms of requests on a linear layer', () => {
  it('plain: summed, and for each sample', async () => {
    expect(await run(2, 4, [linear], [sum, each(4)], linearReads, [4, 8])).toEqual([
      [8, 10, 6, 8],
      [3, 4, 6, 8, 5, 6, 0, 0],
    ]);
  });
  it('square and norm', async () => {
    const square = { ...sum, form: 'square' as const };
    const norm = { ...sum, form: 'norm' as const, strides: { v: 0, n: 1 } };
    expect(await run(2, 4, [linear], [square, norm], linearReads, [4, 2])).toEqual([
      [34, 52, 36, 64],
      [125, 61],
    ]);
  });
  it('centred: the variance over the samples', async () => {
    expect(await run(2, 4, [linear], [{ ...sum, form: 'centred' }], linearReads, [4])).toEqual([[1, 1, 9, 16]]);
  });
  it('samples, with repeats', async () => {
    const request = { ...each(4), samples: { list: 2, count: 3 } };
    expect(await run(2, 4, [linear], [request], [...linearReads, { ids: [1, 0, 1] }], [12])).toEqual([
      [5, 6, 0, 0, 3, 4, 6, 8, 5, 6, 0, 0],
    ]);
  });
  it('weights', async () => {
    expect(
      await run(
        2,
        4,
        [linear],
        [
          { ...sum, weight: 2 },
          { ...sum, form: 'square', weight: 2 },
        ],
        [...linearReads, [-1, 2]],
        [4, 4],
      ),
    ).toEqual([
      [7, 8, -6, -8],
      [41, 56, -36, -64],
    ]);
  });
  it('cross: 2 G ⊙ P', async () => {
    const P: OuterTerm = { kind: 'given', read: 2, V: 1, strides: { v: 0, n: 4 } };
    expect(
      await run(
        2,
        4,
        [linear],
        [{ ...sum, form: 'cross', cross: [P] }],
        [...linearReads, [1, 1, 1, 1, 0, 2, 0, 0]],
        [4],
      ),
    ).toEqual([[6, 32, 12, 16]]);
  });
  it('accumulates', async () => {
    const spec = { N: 2, size: 4, terms: [linear], requests: [{ ...sum, accumulate: true }] };
    expect(await runKernel('outer', spec, linearReads, [[100, 100, 100, 100]])).toEqual([[108, 110, 106, 108]]);
  });
});

describe('outer, columns', () => {
  // a [2, 1, 1, 1] = 2, 3 beside one u = 10
  const term: OuterTerm = { kind: 'matrix', a: dense(0, 2, 1, 1, 1), u: dense(1, 1, 1, 1, 1), view: view(1, 1) };
  it('sums a range, or keeps columns apart; beyond the terms there is 0', async () => {
    const range = { ...sum, from: 0, to: 2 };
    const apart = { ...sum, from: 1, to: 3, strides: { v: 1, n: 0 } };
    const squares = { ...sum, form: 'square' as const, from: 0, to: 2 };
    expect(await run(1, 1, [term], [range, apart, squares], [[2, 3], [10]], [1, 2, 1])).toEqual([
      [50],
      [30, 0],
      [1300],
    ]);
  });
});

describe('outer, kinds of terms', () => {
  const square = { ...sum, form: 'square' as const };
  it('matrix over positions', async () => {
    const term: OuterTerm = { kind: 'matrix', a: dense(0, 1, 1, 1, 2), u: dense(1, 1, 1, 2, 2), view: view(1, 2) };
    expect(
      await run(
        1,
        2,
        [term],
        [sum, square],
        [
          [1, 2],
          [3, 4, 5, 6],
        ],
        [2, 2],
      ),
    ).toEqual([
      [11, 17],
      [121, 289],
    ]);
  });
  it('shift sums positions', async () => {
    const term: OuterTerm = { kind: 'shift', a: dense(0, 1, 2, 2, 2) };
    expect(await run(2, 2, [term], [sum, square], [[1, 2, 3, 4, 0, 1, 0, -1]], [2, 2])).toEqual([
      [4, 6],
      [10, 50],
    ]);
  });
  it('scale multiplies entries', async () => {
    const term: OuterTerm = { kind: 'scale', a: dense(0, 1, 1, 2, 2), u: dense(1, 1, 1, 2, 2) };
    expect(
      await run(
        1,
        2,
        [term],
        [sum, square],
        [
          [1, 2, 3, 4],
          [1, 1, 2, 2],
        ],
        [2, 2],
      ),
    ).toEqual([
      [3, 14],
      [9, 196],
    ]);
  });
  it('lookup adds rows, none for the skipped id', async () => {
    const term: OuterTerm = { kind: 'lookup', a: dense(0, 1, 1, 1, 4), rows: 1, skip: 2 };
    expect(await run(1, 3, [term], [sum, square, each(3)], [[1, 2, 3, 4], { ids: [1, 1, 2, 0] }], [3, 3, 3])).toEqual([
      [4, 3, 0],
      [16, 9, 0],
      [4, 3, 0],
    ]);
  });
  it('lookups of one tie keep their own skip', async () => {
    const first: OuterTerm = { kind: 'lookup', a: dense(0, 1, 1, 1, 1), rows: 1, skip: 0 };
    const second: OuterTerm = { kind: 'lookup', a: dense(0, 1, 1, 1, 1), rows: 1 };
    expect(await run(1, 2, [first, second], [square], [[3], { ids: [0] }], [2])).toEqual([[9, 0]]);
  });
  it('given is G itself', async () => {
    const term: OuterTerm = { kind: 'given', read: 0, V: 1, strides: { v: 0, n: 2 } };
    expect(await run(2, 2, [term], [sum, square], [[1, 2, 3, 4]], [2, 2])).toEqual([
      [4, 6],
      [10, 20],
    ]);
  });
  it('terms of a tie are summed before they are squared', async () => {
    const shift: OuterTerm = { kind: 'shift', a: dense(2, 1, 2, 4, 1) };
    expect(
      await run(2, 4, [linear, shift], [sum, square], [...linearReads, [1, 1, 1, 1, -5, 0, 0, 1]], [4, 4]),
    ).toEqual([
      [4, 11, 7, 10],
      [16, 61, 49, 82],
    ]);
  });
});

describe('outer, unfolded factors', () => {
  const window: Window = {
    input: [4],
    kernel: [2],
    output: [2],
    stride: [1],
    dilation: [2],
    low: [0],
    transposed: false,
    mode: 'zeros',
  };
  const convolution: OuterTerm = {
    kind: 'matrix',
    a: dense(0, 1, 1, 1, 2),
    u: { form: 'unfolded', read: 1, V: 1, N: 1, G: 1, F: 2, T: 2, strides: { v: 0, n: 4, g: 0, c: 4 }, window },
    view: { G: 1, O: 1, C: 1, K: 2, strides: { g: 2, o: 2, c: 2, k: 1 } },
  };
  it('contracts the window of a dilated convolution', async () => {
    // offset 0 meets x[0], x[1], offset 1 meets x[2], x[3]
    const norm = { ...sum, form: 'norm' as const };
    expect(
      await run(
        1,
        2,
        [convolution],
        [sum, norm],
        [
          [1, 10],
          [1, 2, 3, 4],
        ],
        [2, 1],
      ),
    ).toEqual([[21, 43], [21 * 21 + 43 * 43]]);
  });
  it('contracts the window of a transposed one', async () => {
    const transposed: Window = {
      input: [2],
      kernel: [2],
      output: [4],
      stride: [2],
      dilation: [1],
      low: [0],
      transposed: true,
      mode: 'zeros',
    };
    const term: OuterTerm = {
      ...convolution,
      a: dense(0, 1, 1, 1, 4),
      u: { ...convolution.u, T: 4, strides: { v: 0, n: 2, g: 0, c: 2 }, window: transposed } as FactorSpec,
    };
    expect(
      await run(
        1,
        2,
        [term],
        [sum],
        [
          [1, 2, 3, 4],
          [10, 100],
        ],
        [2],
      ),
    ).toEqual([[310, 420]]);
  });
  it('keeps groups apart', async () => {
    const a: FactorSpec = {
      form: 'dense',
      read: 0,
      V: 1,
      N: 1,
      G: 2,
      F: 1,
      T: 1,
      strides: { v: 0, n: 0, g: 1, f: 0, t: 0 },
    };
    const u: FactorSpec = { ...a, read: 1 };
    const term: OuterTerm = {
      kind: 'matrix',
      a,
      u,
      view: { G: 2, O: 1, C: 1, K: 1, strides: { g: 1, o: 1, c: 1, k: 1 } },
    };
    const norm = { ...sum, form: 'norm' as const };
    expect(
      await run(
        1,
        2,
        [term],
        [sum, norm],
        [
          [2, 3],
          [10, 100],
        ],
        [2, 1],
      ),
    ).toEqual([[20, 300], [90400]]);
  });
});

describe('gram', () => {
  const spec = { factors: [dense(0, 1, 1, 2, 2)], from: 0, to: 1, scale: 1, accumulate: false };
  it('sums squares of each position, or squares of their sum', async () => {
    const x = [1, 2, 3, 4];
    expect(await runKernel('gram', { ...spec, positions: 'each' }, [x], [garbage(4)])).toEqual([[5, 11, 11, 25]]);
    expect(await runKernel('gram', { ...spec, positions: 'sum' }, [x], [garbage(4)])).toEqual([[9, 21, 21, 49]]);
  });
  it('scales, accumulates and leaves out columns before and beyond', async () => {
    const columns = {
      ...spec,
      factors: [dense(0, 2, 1, 1, 1)],
      from: 1,
      to: 9,
      scale: 0.5,
      accumulate: true,
      positions: 'each' as const,
    };
    expect(await runKernel('gram', columns, [[100, 4]], [[1]])).toEqual([[9]]);
  });
});
