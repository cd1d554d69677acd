import type { Window } from '@gradpack/core';

const axes = (input: readonly number[], value: number): readonly number[] => input.map(() => value);

/** A window whose output extents follow from the rest (transposed windows are given theirs). */
export function windowOf(
  input: readonly number[],
  kernel: readonly number[],
  {
    stride = axes(input, 1),
    dilation = axes(input, 1),
    low = axes(input, 0),
    high = low,
    mode = 'zeros',
  }: Partial<Pick<Window, 'stride' | 'dilation' | 'low' | 'mode'>> & { readonly high?: readonly number[] } = {},
): Window {
  const output = input.map((extent, a) => {
    const reach = ((kernel[a] as number) - 1) * (dilation[a] as number) + 1;
    return Math.floor((extent + (low[a] as number) + (high[a] as number) - reach) / (stride[a] as number)) + 1;
  });
  return { input, kernel, output, stride, dilation, low, transposed: false, mode };
}

/** The window of a transposed convolution with `outputPadding`. */
export function transposedWindowOf(
  input: readonly number[],
  kernel: readonly number[],
  stride: readonly number[],
  low: readonly number[],
  dilation: readonly number[],
  outputPadding: readonly number[],
): Window {
  const output = input.map(
    (extent, a) =>
      (extent - 1) * (stride[a] as number) -
      2 * (low[a] as number) +
      (dilation[a] as number) * ((kernel[a] as number) - 1) +
      (outputPadding[a] as number) +
      1,
  );
  return { input, kernel, output, stride, dilation, low, transposed: true, mode: 'zeros' };
}

export const WINDOWS: Readonly<Record<string, Window>> = {
  '1 position, 1 offset': windowOf([1], [1]),
  '1x1 kernel': windowOf([4, 5], [1, 1]),
  '1 axis': windowOf([9], [3], { stride: [2], low: [1] }),
  '2 axes, padded': windowOf([5, 6], [3, 3], { low: [1, 1] }),
  'stride 2, odd rest': windowOf([6, 7], [2, 3], { stride: [2, 2] }),
  dilation: windowOf([9, 8], [3, 2], { dilation: [2, 3], low: [1, 0] }),
  'uneven padding': windowOf([5, 4], [4, 3], { low: [1, 0], high: [2, 1] }),
  'kernel covers the input': windowOf([3, 3], [3, 3]),
  reflect: windowOf([5, 4], [3, 3], { low: [2, 1], mode: 'reflect' }),
  replicate: windowOf([4, 4], [3, 3], { low: [2, 1], stride: [1, 2], mode: 'replicate' }),
  circular: windowOf([5, 4], [3, 3], { low: [2, 1], mode: 'circular' }),
  '3 axes': windowOf([3, 4, 3], [2, 3, 2], { low: [0, 1, 1], stride: [1, 2, 1] }),
  transposed: transposedWindowOf([3, 4], [3, 2], [2, 1], [1, 0], [1, 1], [1, 0]),
  'transposed, dilated': transposedWindowOf([4], [3], [3], [1], [2], [2]),
};
