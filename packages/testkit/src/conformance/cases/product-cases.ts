import type { ConvolutionSpec, MatrixView, Window } from '@gradpack/core';
import { type ConformanceCase, recordCase } from '../conformance-case.js';
import type { Draw } from '../draw.js';
import { positions } from '../reference/position.js';
import { WINDOWS, windowOf } from './windows.js';

type Layout = 'row' | 'column' | 'spread';
const LAYOUTS: readonly Layout[] = ['row', 'column', 'spread'];

/** Strides of a [batch, rows, columns] matrix and the elements it takes. */
function matrixOf(
  layout: Layout,
  batch: number,
  rows: number,
  columns: number,
): { readonly batch: number; readonly row: number; readonly column: number; readonly length: number } {
  const [row, column] = layout === 'row' ? [columns, 1] : layout === 'column' ? [1, rows] : [2 * columns + 1, 2];
  const one = (rows - 1) * row + (columns - 1) * column + 1;
  return { batch: one, row, column, length: batch * one };
}

export function gemmCases(draw: Draw): readonly ConformanceCase[] {
  const one = (
    name: string,
    [batch, M, N, K]: readonly [number, number, number, number],
    [la, lb, lc]: readonly [Layout, Layout, Layout],
    accumulate: boolean,
    shared: 'a' | 'b' | 'none' = 'none',
    bias?: 'm' | 'n',
  ): ConformanceCase => {
    const record = recordCase();
    const [A, B, C] = [matrixOf(la, batch, M, K), matrixOf(lb, batch, K, N), matrixOf(lc, batch, M, N)];
    const spec = {
      batch,
      M,
      N,
      K,
      a: { b: shared === 'a' ? 0 : A.batch, m: A.row, k: A.column },
      b: { b: shared === 'b' ? 0 : B.batch, k: B.row, n: B.column },
      c: { b: C.batch, m: C.row, n: C.column },
      alpha: accumulate ? 0.5 : 1,
      accumulate,
      ...(bias && { bias }),
    };
    const reads = [
      record.input(draw.values(A.length + 1), 'float64', 1),
      record.input(draw.values(B.length + 2), 'float64', 2),
      ...(bias ? [record.input(draw.values((bias === 'm' ? M : N) + 1), 'float64', 1)] : []),
    ];
    record.call('gemm', spec, reads, [record.output(draw.values(C.length + 3), 'float64', 3)]);
    return record.finish(`gemm: ${name}`);
  };
  const biases = (['m', 'n'] as const).flatMap((bias) =>
    (
      [
        [1, 1, 1, 1],
        [1, 1, 40, 7],
        [1, 40, 1, 7],
        [1, 9, 7, 1],
        [3, 13, 11, 5],
        [1, 67, 71, 130],
        [1, 5, 6, 1500],
      ] as const
    ).flatMap((size) =>
      LAYOUTS.map((layout) =>
        one(`${size.join('×')} ${layout}, bias along ${bias}`, size, ['row', 'column', layout], false, 'none', bias),
      ),
    ),
  );
  const small = LAYOUTS.flatMap((a) =>
    LAYOUTS.map((b, i) =>
      one(
        `A ${a}, B ${b}`,
        [2, draw.whole(5, 13), draw.whole(5, 13), draw.whole(5, 13)],
        [a, b, LAYOUTS[i] as Layout],
        i % 2 === 0,
      ),
    ),
  );
  const degenerate = (
    [
      [1, 1, 1, 1],
      [1, 1, 40, 7],
      [1, 40, 1, 7],
      [1, 9, 9, 1],
      [5, 1, 1, 30],
      [3, 2, 3, 1],
      [1, 4, 4, 4],
      [1, 8, 16, 8],
    ] as const
  ).flatMap((size) =>
    LAYOUTS.map((layout, i) => one(`${size.join('×')} ${layout}`, size, [layout, layout, layout], i === 1)),
  );
  return [
    ...small,
    ...degenerate,
    ...biases,
    one('one A for the batch', [3, 6, 7, 5], ['row', 'row', 'row'], false, 'a'),
    one('one B for the batch', [3, 6, 7, 5], ['row', 'column', 'row'], true, 'b'),
    one('over tile borders', [1, 67, 71, 130], ['row', 'row', 'row'], false),
    one('over tile borders, A transposed', [1, 67, 71, 130], ['column', 'row', 'row'], true),
    one('over tile borders, B transposed', [1, 67, 71, 130], ['row', 'column', 'column'], false),
    one('long K', [1, 5, 6, 1500], ['row', 'row', 'row'], true),
    one('big', [1, 150, 130, 280], ['row', 'column', 'row'], false),
    broadcastGemm(draw),
  ];
}

/** Strides of 0 and below inside A and B. */
function broadcastGemm(draw: Draw): ConformanceCase {
  const record = recordCase();
  const spec = {
    batch: 2,
    M: 6,
    N: 5,
    K: 7,
    a: { b: 0, m: 0, k: -1 },
    b: { b: 5, k: 0, n: 1 },
    c: { b: 30, m: 5, n: 1 },
    alpha: -2,
    accumulate: false,
  };
  record.call(
    'gemm',
    spec,
    [record.input(draw.values(7), 'float64', 6), record.input(draw.values(10))],
    [record.output(draw.values(60))],
  );
  return record.finish('gemm: strides 0 and −1');
}

const viewOf = (G: number, O: number, C: number, K: number, transposed: boolean): MatrixView => ({
  G,
  O,
  C,
  K,
  strides: transposed ? { g: C * O * K, o: K, c: O * K, k: 1 } : { g: O * C * K, o: C * K, c: K, k: 1 },
});

export function convolutionCases(draw: Draw): readonly ConformanceCase[] {
  const one = (
    name: string,
    kernel: 'convolve' | 'convolveTransposed',
    window: Window,
    [V, N, G, O, C]: readonly [number, number, number, number, number],
    options: Pick<ConvolutionSpec, 'xPerColumn' | 'weightPerColumn' | 'accumulate'> & { readonly bias?: true },
  ): ConformanceCase => {
    const record = recordCase();
    const K = positions(window.kernel);
    const [xs, ys] = [N * G * C * positions(window.input), N * G * O * positions(window.output)];
    const [from, to] = kernel === 'convolve' ? [xs, ys] : [ys, xs];
    const reads = [
      record.input(draw.values((options.xPerColumn ? V : 1) * from + 1), 'float64', 1),
      record.input(draw.values((options.weightPerColumn ? V : 1) * G * O * C * K + 2), 'float64', 2),
      ...(options.bias ? [record.input(draw.values(G * O + 3), 'float64', 3)] : []),
    ];
    record.call(kernel, { V, N, view: viewOf(G, O, C, K, window.transposed), window, ...options }, reads, [
      record.output(draw.values(V * to + 3), 'float64', 3),
    ]);
    return record.finish(`${kernel}: ${name}`);
  };
  const plain = { xPerColumn: true, weightPerColumn: false, accumulate: false };
  const biased = { ...plain, bias: true } as const;
  const biases = [
    ...Object.entries(WINDOWS).map(([name, window]) =>
      one(`${name}, bias`, 'convolve', window, [1, draw.whole(1, 3), draw.whole(1, 2), draw.whole(1, 5), 3], biased),
    ),
    one('groups, bias', 'convolve', windowOf([5, 5], [3, 3], { low: [1, 1] }), [2, 2, 3, 2, 2], biased),
    one('depthwise, bias', 'convolve', windowOf([5, 5], [3, 3], { stride: [2, 2] }), [2, 2, 4, 1, 1], biased),
    one('weight per column, bias', 'convolve', windowOf([5, 4], [2, 3], { low: [1, 1] }), [3, 2, 2, 2, 3], {
      ...biased,
      weightPerColumn: true,
    }),
    one('one x for all columns, bias', 'convolve', windowOf([5, 4], [2, 3]), [3, 2, 1, 3, 2], {
      xPerColumn: false,
      weightPerColumn: true,
      accumulate: false,
      bias: true,
    }),
    one('linear, bias', 'convolve', windowOf([1], [1]), [3, 7, 1, 11, 13], biased),
    one('1x1 with many channels, bias', 'convolve', windowOf([6, 6], [1, 1]), [1, 3, 1, 17, 19], biased),
    one('over tile borders, bias', 'convolve', windowOf([12, 13], [3, 3], { low: [1, 1] }), [2, 3, 1, 18, 9], biased),
    one('one sample, many positions, bias', 'convolve', windowOf([40, 40], [3, 3]), [1, 1, 1, 4, 3], biased),
  ];
  const both = (['convolve', 'convolveTransposed'] as const).flatMap((kernel) => [
    ...Object.entries(WINDOWS).map(([name, window]) =>
      one(name, kernel, window, [1, draw.whole(1, 3), draw.whole(1, 2), draw.whole(1, 5), draw.whole(1, 5)], plain),
    ),
    one('groups', kernel, windowOf([5, 5], [3, 3], { low: [1, 1] }), [2, 2, 3, 2, 2], { ...plain, accumulate: true }),
    one('depthwise', kernel, windowOf([5, 5], [3, 3], { low: [1, 1], stride: [2, 2] }), [2, 2, 4, 1, 1], plain),
    one('one x for all columns', kernel, windowOf([5, 4], [2, 3]), [3, 2, 1, 3, 2], {
      xPerColumn: false,
      weightPerColumn: true,
      accumulate: false,
    }),
    one('weight per column', kernel, windowOf([5, 4], [2, 3], { low: [1, 1] }), [3, 2, 2, 2, 3], {
      xPerColumn: true,
      weightPerColumn: true,
      accumulate: true,
    }),
    one('nothing per column', kernel, windowOf([5, 4], [2, 3]), [2, 2, 1, 2, 2], {
      xPerColumn: false,
      weightPerColumn: false,
      accumulate: false,
    }),
    one('linear (one position, one offset)', kernel, windowOf([1], [1]), [3, 7, 1, 11, 13], plain),
    one('1x1 with many channels', kernel, windowOf([6, 6], [1, 1]), [1, 3, 1, 17, 19], plain),
    one('over tile borders', kernel, windowOf([12, 13], [3, 3], { low: [1, 1] }), [2, 3, 1, 18, 9], plain),
    one('one sample, many positions', kernel, windowOf([40, 40], [3, 3], { low: [1, 1] }), [1, 1, 1, 4, 3], plain),
  ]);
  return [...both, ...biases];
}
