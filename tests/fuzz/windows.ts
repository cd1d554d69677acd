import type { Window } from '@gradpack/core';
import type { Draw } from '@gradpack/testkit';

const along = (axes: number, value: () => number): number[] => Array.from({ length: axes }, value);

/** Any window: 1 to 3 axes, strides, dilation, each mode, transposed ones. */
export function windowOf(draw: Draw): Window {
  const axes = draw.pick([1, 2, 2, 2, 3]);
  const most = axes === 3 ? 4 : 9;
  const input = along(axes, () => draw.whole(1, most));
  const transposed = draw.whole(0, 4) === 0;
  const mode = transposed ? 'zeros' : draw.pick(['zeros', 'zeros', 'reflect', 'replicate', 'circular'] as const);
  const stride = along(axes, () => draw.whole(1, 3));
  const shape = input.map((extent) => {
    for (;;) {
      const [kernel, dilation] = [draw.whole(1, 4), draw.whole(1, 2)];
      const bound = mode === 'reflect' ? extent - 1 : mode === 'circular' ? extent : 3;
      const [low, high] = [draw.whole(0, Math.min(bound, 3)), draw.whole(0, Math.min(bound, 3))];
      const room = extent + low + high - (kernel - 1) * dilation - 1;
      if (room >= 0) return { kernel, dilation, low, room };
    }
  });
  return {
    input,
    kernel: shape.map(({ kernel }) => kernel),
    output: shape.map(({ room, kernel, dilation, low }, axis) => {
      const [extent = 1, step = 1] = [input[axis], stride[axis]];
      if (!transposed) return Math.floor(room / step) + 1;
      return Math.max(1, (extent - 1) * step + (kernel - 1) * dilation + 1 - 2 * low + draw.whole(0, 1));
    }),
    stride,
    dilation: shape.map(({ dilation }) => dilation),
    low: shape.map(({ low }) => low),
    transposed,
    mode,
  };
}

/** A window of which each position holds an entry of the input, as pooling needs. */
export function poolOf(draw: Draw): Window {
  const axes = draw.whole(1, 3);
  const kernel = along(axes, () => draw.whole(1, 3));
  const low = kernel.map((extent) => draw.whole(0, Math.floor(extent / 2)));
  const dilation = low.map((padding) => (padding === 0 ? draw.whole(1, 2) : 1));
  const reach = kernel.map((extent, axis) => (extent - 1) * (dilation[axis] ?? 1) + 1);
  const input = reach.map((extent) => extent + draw.whole(0, axes === 3 ? 2 : 7));
  const stride = along(axes, () => draw.whole(1, 3));
  const output = input.map(
    (extent, axis) => Math.floor((extent + (low[axis] ?? 0) - (reach[axis] ?? 1)) / (stride[axis] ?? 1)) + 1,
  );
  return { input, kernel, output, stride, dilation, low, transposed: false, mode: 'zeros' };
}
