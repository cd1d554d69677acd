import type { ConvolutionSpec, MatrixView, Window } from '@gradpack/core';
import { describe, expect, it } from 'vitest';
import { garbage, runKernel } from './run-kernel.js';

describe('gemm', () => {
  const spec = {
    batch: 1,
    M: 2,
    N: 2,
    K: 3,
    a: { b: 0, m: 3, k: 1 },
    b: { b: 0, k: 2, n: 1 },
    c: { b: 0, m: 2, n: 1 },
    alpha: 1,
    accumulate: false,
  };
  const [A, B] = [
    [1, 2, 3, 4, 5, 6],
    [1, 0, 0, 1, 2, 2],
  ];
  it('multiplies', async () => {
    expect(await runKernel('gemm', spec, [A, B], [garbage(4)])).toEqual([[7, 8, 16, 17]]);
  });
  it('scales and accumulates', async () => {
    expect(await runKernel('gemm', { ...spec, alpha: 2, accumulate: true }, [A, B], [[1, 1, 1, 1]])).toEqual([
      [15, 17, 33, 35],
    ]);
  });
  it('reads A transposed by strides', async () => {
    const transposed = { ...spec, a: { b: 0, m: 1, k: 2 } };
    expect(await runKernel('gemm', transposed, [[1, 4, 2, 5, 3, 6], B], [garbage(4)])).toEqual([[7, 8, 16, 17]]);
  });
  it('is an outer product where K = 1, batch by batch', async () => {
    const outer = {
      ...spec,
      batch: 2,
      K: 1,
      a: { b: 2, m: 1, k: 1 },
      b: { b: 0, k: 2, n: 1 },
      c: { b: 4, m: 2, n: 1 },
    };
    expect(
      await runKernel(
        'gemm',
        outer,
        [
          [1, 2, 3, 4],
          [5, 7],
        ],
        [garbage(8)],
      ),
    ).toEqual([[5, 7, 10, 14, 15, 21, 20, 28]]);
  });
  it('takes blocks larger than its tiles', async () => {
    const n = 70;
    const ones = new Array<number>(n * n).fill(1);
    const big = {
      ...spec,
      M: n,
      N: n,
      K: n,
      a: { b: 0, m: n, k: 1 },
      b: { b: 0, k: n, n: 1 },
      c: { b: 0, m: n, n: 1 },
    };
    expect((await runKernel('gemm', big, [ones, ones], [garbage(n * n)]))[0]).toEqual(new Array<number>(n * n).fill(n));
  });
});

const line = (input: number, kernel: number, output: number, more: Partial<Window> = {}): Window => ({
  input: [input],
  kernel: [kernel],
  output: [output],
  stride: [1],
  dilation: [1],
  low: [0],
  transposed: false,
  mode: 'zeros',
  ...more,
});
const view = (G: number, O: number, C: number, K: number): MatrixView => ({
  G,
  O,
  C,
  K,
  strides: { g: O * C * K, o: C * K, c: K, k: 1 },
});
const one = (window: Window, v: MatrixView = view(1, 1, 1, window.kernel[0]!)): ConvolutionSpec => ({
  V: 1,
  N: 1,
  xPerColumn: true,
  weightPerColumn: false,
  view: v,
  window,
  accumulate: false,
});

describe('convolve', () => {
  it('slides the kernel', async () => {
    expect(
      await runKernel(
        'convolve',
        one(line(4, 2, 3)),
        [
          [1, 2, 3, 4],
          [1, 10],
        ],
        [garbage(3)],
      ),
    ).toEqual([[21, 32, 43]]);
  });
  it('pads, strides and dilates', async () => {
    const window = line(5, 2, 3, { stride: [2], low: [1], dilation: [2] });
    // positions −1 and 1, 1 and 3, 3 and 5
    expect(
      await runKernel(
        'convolve',
        one(window),
        [
          [1, 2, 3, 4, 5],
          [1, 10],
        ],
        [garbage(3)],
      ),
    ).toEqual([[20, 42, 4]]);
  });
  it.each([
    ['reflect', [12, 21, 32, 23]],
    ['replicate', [11, 21, 32, 33]],
    ['circular', [13, 21, 32, 13]],
  ] as const)('reads beyond the border by mode %s', async (mode, expected) => {
    const window = line(3, 2, 4, { low: [1], mode });
    expect(
      await runKernel(
        'convolve',
        one(window),
        [
          [1, 2, 3],
          [1, 10],
        ],
        [garbage(4)],
      ),
    ).toEqual([expected]);
  });
  it('keeps groups apart', async () => {
    const spec = one(line(2, 1, 2), view(2, 1, 1, 1));
    expect(
      await runKernel(
        'convolve',
        spec,
        [
          [1, 2, 3, 4],
          [10, 100],
        ],
        [garbage(4)],
      ),
    ).toEqual([[10, 20, 300, 400]]);
  });
  it('runs as a transposed convolution', async () => {
    const window = line(2, 2, 4, { stride: [2], transposed: true });
    expect(
      await runKernel(
        'convolve',
        one(window),
        [
          [1, 2],
          [1, 10],
        ],
        [garbage(4)],
      ),
    ).toEqual([[1, 10, 2, 20]]);
  });
  it('has a weight for each column beside one x', async () => {
    const spec = { ...one(line(2, 2, 1)), V: 2, xPerColumn: false, weightPerColumn: true, accumulate: true };
    expect(
      await runKernel(
        'convolve',
        spec,
        [
          [1, 2],
          [1, 10, 3, 5],
        ],
        [[100, 100]],
      ),
    ).toEqual([[121, 113]]);
  });
  it('is a linear layer where all positions are one', async () => {
    const spec = { ...one(line(1, 1, 1), view(1, 2, 3, 1)), N: 2 };
    expect(
      await runKernel(
        'convolve',
        spec,
        [
          [1, 2, 3, 4, 5, 6],
          [1, 0, 1, 0, 1, 0],
        ],
        [garbage(4)],
      ),
    ).toEqual([[4, 2, 10, 5]]);
  });
});

describe('convolveTransposed', () => {
  it('is the adjoint of convolve in x', async () => {
    expect(
      await runKernel(
        'convolveTransposed',
        one(line(4, 2, 3)),
        [
          [1, 2, 3],
          [1, 10],
        ],
        [garbage(4)],
      ),
    ).toEqual([[1, 12, 23, 30]]);
  });
  it('adds up what the border repeats', async () => {
    const window = line(3, 2, 4, { low: [1], mode: 'replicate' });
    expect(
      await runKernel(
        'convolveTransposed',
        one(window),
        [
          [1, 2, 3, 4],
          [1, 10],
        ],
        [garbage(3)],
      ),
    ).toEqual([[13, 23, 74]]);
  });
  it('accumulates', async () => {
    const spec = { ...one(line(2, 1, 2)), accumulate: true };
    expect(await runKernel('convolveTransposed', spec, [[1, 2], [5]], [[100, 100]])).toEqual([[105, 110]]);
  });
});
