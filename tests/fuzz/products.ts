import type { MatrixView } from '@gradpack/core';
import { type ConformanceCase, type Draw, recordCase } from '@gradpack/testkit';
import { layoutOf, sizeOf, wholes } from './layouts.js';
import { poolOf, windowOf } from './windows.js';

const EXTENTS = [1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 70];
const yes = (draw: Draw): boolean => draw.whole(0, 1) === 1;

export function gemm(draw: Draw): ConformanceCase {
  const record = recordCase();
  const batch = draw.pick([1, 1, 2, 5]);
  const [M, N, K] = [draw.pick(EXTENTS), draw.pick(EXTENTS), draw.pick([...EXTENTS, 300])];
  const a = layoutOf(draw, [batch, M, K], { broadcast: true });
  const b = layoutOf(draw, [batch, K, N], { broadcast: true });
  const c = layoutOf(draw, [batch, M, N]);
  const at = (strides: readonly number[], index: number): number => strides[index] ?? 0;
  record.call(
    'gemm',
    {
      batch,
      M,
      N,
      K,
      a: { b: at(a.strides, 0), m: at(a.strides, 1), k: at(a.strides, 2) },
      b: { b: at(b.strides, 0), k: at(b.strides, 1), n: at(b.strides, 2) },
      c: { b: at(c.strides, 0), m: at(c.strides, 1), n: at(c.strides, 2) },
      alpha: draw.pick([1, -1, 0.5, 0]),
      accumulate: yes(draw),
    },
    [
      record.input(wholes(draw, a.length), 'float64', a.offset),
      record.input(wholes(draw, b.length), 'float64', b.offset),
    ],
    [record.output(wholes(draw, c.length), 'float64', c.offset)],
  );
  return record.finish('gemm');
}

/** All entries of θ, in any order of the axes. */
export function viewOf(draw: Draw, G: number, O: number, C: number, K: number): MatrixView {
  const orders = [
    { g: O * C * K, o: C * K, c: K, k: 1 },
    { g: C * O * K, o: K, c: O * K, k: 1 },
    { g: 1, o: G, c: G * O, k: G * O * C },
  ];
  return { G, O, C, K, strides: draw.pick(orders) };
}

export function convolution(draw: Draw): ConformanceCase {
  const record = recordCase();
  const window = windowOf(draw);
  const [V, N, G] = [draw.pick([1, 1, 2, 3]), draw.pick([1, 2, 3, 9]), draw.pick([1, 1, 2])];
  const [O, C, K] = [draw.pick([1, 2, 3, 8, 17]), draw.pick([1, 2, 3, 9]), sizeOf(window.kernel)];
  const [S, T] = [sizeOf(window.input), sizeOf(window.output)];
  const view = viewOf(draw, G, O, C, K);
  const [xPerColumn, weightPerColumn] = [yes(draw), yes(draw)];
  const [outputs, inputs] = [G * O * T, G * C * S];
  const spec = { V, N, xPerColumn, weightPerColumn, view, window, accumulate: yes(draw) };
  const kernel = draw.pick(['convolve', 'convolveTransposed'] as const);
  const [from, to] = kernel === 'convolve' ? [inputs, outputs] : [outputs, inputs];
  const offset = draw.whole(0, 3);
  record.call(
    kernel,
    spec,
    [
      record.input(wholes(draw, (xPerColumn ? V : 1) * N * from + offset), 'float64', offset),
      record.input(wholes(draw, (weightPerColumn ? V : 1) * G * O * C * K + offset), 'float64', offset),
    ],
    [record.output(wholes(draw, V * N * to + offset), 'float64', offset)],
  );
  return record.finish(kernel);
}

export function pooling(draw: Draw): ConformanceCase {
  const record = recordCase();
  const window = poolOf(draw);
  const rows = draw.whole(1, 6);
  const [S, T] = [sizeOf(window.input), sizeOf(window.output)];
  const offset = draw.whole(0, 2);
  const kernel = draw.pick(['maxPool', 'averagePool', 'averagePoolTransposed'] as const);
  const divisors = Array.from({ length: T }, () => draw.pick([1, 2, 4]));
  if (kernel === 'maxPool')
    record.call(
      kernel,
      { rows, window },
      [record.input(wholes(draw, rows * S + offset, 9), 'float64', offset)],
      [record.output(wholes(draw, rows * T)), record.output(wholes(draw, rows * T + offset), 'int32', offset)],
    );
  else {
    const [from, to] = kernel === 'averagePool' ? [S, T] : [T, S];
    record.call(
      kernel,
      { rows, window, divisors },
      [record.input(wholes(draw, rows * from + offset), 'float64', offset)],
      [record.output(wholes(draw, rows * to + offset), 'float64', offset)],
    );
  }
  return record.finish(kernel);
}
