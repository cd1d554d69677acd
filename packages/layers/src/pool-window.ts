import { GradPackError, positionAlong, type Shape, showShape, type Window } from '@gradpack/core';
import { type PerAxis, perAxis } from './options.js';

/** Everything of a pooling window but the input's extents. */
export interface PoolGeometry extends Pick<Window, 'kernel' | 'stride' | 'dilation' | 'low'> {
  readonly ceilMode: boolean;
}

export interface PoolGeometryOptions {
  readonly padding?: PerAxis;
  readonly dilation?: PerAxis;
  readonly ceilMode?: boolean;
}

/** Throws GRADPACK-OPTION. */
export function poolGeometry(
  kind: string,
  axes: number,
  kernelSize: PerAxis,
  stride: PerAxis | undefined,
  options: PoolGeometryOptions,
): PoolGeometry {
  const kernel = perAxis(kind, 'kernelSize', kernelSize, axes, 1);
  const low = perAxis(kind, 'padding', options.padding ?? 0, axes, 0);
  if (low.some((side, axis) => 2 * side > (kernel[axis] as number)))
    throw new GradPackError('GRADPACK-OPTION', 'padding is wider than half the kernel', {
      where: kind,
      expected: `padding of at most ${showShape(kernel.map((extent) => Math.floor(extent / 2)))}`,
      got: showShape(low),
      fix: 'use less padding: a window must not lie in the padding alone',
    });
  return {
    kernel,
    low,
    stride: perAxis(kind, 'stride', stride ?? kernel, axes, 1),
    dilation: perAxis(kind, 'dilation', options.dilation ?? 1, axes, 1),
    ceilMode: options.ceilMode ?? false,
  };
}

/** The window over an input of these extents. Throws GRADPACK-SHAPE where a window would see nothing of it. */
export function poolWindow(kind: string, { ceilMode, ...geometry }: PoolGeometry, input: Shape): Window {
  const { kernel, stride, dilation, low } = geometry;
  const output = input.map((extent, axis) => {
    const [step, side] = [stride[axis] as number, low[axis] as number];
    const steps = (extent + 2 * side - (dilation[axis] as number) * ((kernel[axis] as number) - 1) - 1) / step;
    const count = (ceilMode ? Math.ceil(steps) : Math.floor(steps)) + 1;
    // a window that would begin in the padding on the right is left out
    return ceilMode && (count - 1) * step >= extent + side ? count - 1 : count;
  });
  const window: Window = { ...geometry, input, output, transposed: false, mode: 'zeros' };
  if (output.some((count, axis) => count < 1 || seesNothing(window, axis)))
    throw new GradPackError('GRADPACK-SHAPE', 'the pooling window does not fit the input', {
      where: kind,
      expected: `extents of which a kernel of ${showShape(kernel)} with dilation ${showShape(dilation)} and padding ${showShape(low)} sees something everywhere`,
      got: showShape(input),
      fix: 'use a smaller kernel or dilation, or fewer poolings before it',
    });
  return window;
}

/** Whether a window lies between the entries that it reads; only dilation together with padding can do that. */
function seesNothing(window: Window, axis: number): boolean {
  if (window.dilation[axis] === 1 || window.low[axis] === 0) return false;
  const offsets = Array.from({ length: window.kernel[axis] as number }, (_, k) => k);
  return Array.from({ length: window.output[axis] as number }, (_, t) => t).some((t) =>
    offsets.every((k) => positionAlong(window, axis, k, t) < 0),
  );
}
