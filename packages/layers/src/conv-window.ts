import { GradPackError, type Shape, showShape, type Window } from '@gradpack/core';
import type { ConvOptions } from './conv.js';
import { type PerAxis, perAxis } from './options.js';

/** Everything of a window but the input's extents. `total`: padding on both sides together. */
export interface ConvGeometry extends Pick<Window, 'kernel' | 'stride' | 'dilation' | 'low' | 'mode'> {
  readonly total: Shape;
}

/** Throws GRADPACK-OPTION. */
export function convGeometry(
  kind: string,
  axes: number,
  kernelSize: PerAxis,
  { stride = 1, padding = 0, dilation = 1, paddingMode = 'zeros' }: ConvOptions,
): ConvGeometry {
  const kernel = perAxis(kind, 'kernelSize', kernelSize, axes, 1);
  const strides = perAxis(kind, 'stride', stride, axes, 1);
  const dilations = perAxis(kind, 'dilation', dilation, axes, 1);
  if (!MODES.includes(paddingMode))
    throw new GradPackError('GRADPACK-OPTION', 'paddingMode is not known', {
      where: kind,
      expected: MODES.join(', '),
      got: String(paddingMode),
      fix: 'choose one of these modes',
    });
  const parts = { kernel, stride: strides, dilation: dilations, mode: paddingMode };
  if (padding === 'same') {
    if (strides.some((s) => s !== 1))
      throw new GradPackError('GRADPACK-OPTION', "padding 'same' needs stride 1", {
        where: kind,
        expected: "stride 1 with padding 'same'",
        got: `stride [${strides.join(', ')}]`,
        fix: 'give the padding as a number, or leave the stride at 1',
      });
    const total = kernel.map((extent, axis) => (dilations[axis] as number) * (extent - 1));
    return { ...parts, total, low: total.map((both) => Math.floor(both / 2)) };
  }
  if (typeof padding === 'string' && padding !== 'valid')
    throw new GradPackError('GRADPACK-OPTION', 'padding is not known', {
      where: kind,
      expected: "a number, one for each axis, 'same' or 'valid'",
      got: String(padding),
      fix: 'choose one of these',
    });
  const low = perAxis(kind, 'padding', padding === 'valid' ? 0 : padding, axes, 0);
  return { ...parts, low, total: low.map((side) => 2 * side) };
}

const MODES: readonly Window['mode'][] = ['zeros', 'reflect', 'replicate', 'circular'];

/** The window over an input of these extents. Throws GRADPACK-SHAPE where the kernel does not fit. */
export function convWindow(kind: string, { total, ...geometry }: ConvGeometry, input: Shape): Window {
  const { kernel, stride, dilation, low, mode } = geometry;
  const reach = kernel.map((extent, axis) => (dilation[axis] as number) * (extent - 1) + 1);
  const room = input.map((extent, axis) => extent + (total[axis] as number) - (reach[axis] as number));
  if (room.some((left) => left < 0))
    throw new GradPackError('GRADPACK-SHAPE', 'the kernel is larger than the padded input', {
      where: kind,
      expected: `spatial extents of at least ${showShape(reach.map((extent, axis) => Math.max(1, extent - (total[axis] as number))))}`,
      got: showShape(input),
      fix: 'use a smaller kernel or dilation, more padding, or fewer poolings before it',
    });
  // a reflection must land inside the input, and a wrapped position within one turn
  const farthest = { zeros: Infinity, replicate: Infinity, reflect: -1, circular: 0 }[mode];
  const high = total.map((both, axis) => both - (low[axis] as number));
  if (input.some((extent, axis) => Math.max(low[axis] as number, high[axis] as number) > extent + farthest))
    throw new GradPackError('GRADPACK-SHAPE', `the padding is too wide for paddingMode '${mode}'`, {
      where: kind,
      expected: `padding ${mode === 'reflect' ? 'below' : 'of at most'} the spatial extents ${showShape(input)}`,
      got: showShape(high),
      fix: "use less padding, or paddingMode 'zeros' or 'replicate'",
    });
  return {
    ...geometry,
    input,
    output: room.map((left, axis) => Math.floor(left / (stride[axis] as number)) + 1),
    transposed: false,
  };
}
