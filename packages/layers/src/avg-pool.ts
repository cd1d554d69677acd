import { type Carry, GradPackError, type Layer, linearMap, type Shape, type Window } from '@gradpack/core';
import type { PerAxis } from './options.js';
import { poolGeometry, poolWindow } from './pool-window.js';
import { spatialOf } from './spatial.js';

export interface AvgPoolOptions {
  /** On both sides, at most half the kernel; 0 when absent. */
  readonly padding?: PerAxis;
  /** Whether a last window may reach beyond the input; false when absent. */
  readonly ceilMode?: boolean;
  /** Whether entries of the padding count as zeros in the mean; true when absent. */
  readonly countIncludePad?: boolean;
  /** Divides each sum in place of the number of entries. */
  readonly divisorOverride?: number;
}

type AvgPoolKind = 'avgPool1d' | 'avgPool2d' | 'avgPool3d';
export type AvgPool<Kind extends AvgPoolKind> = Layer<Kind, never, Carry>;
export type AvgPool1d = AvgPool<'avgPool1d'>;
export type AvgPool2d = AvgPool<'avgPool2d'>;
export type AvgPool3d = AvgPool<'avgPool3d'>;

/**
 * Mean of each window of [N, C, length]; see `avgPool2d`.
 *
 * @example
 * const model = sequential(conv1d(2, 4, 3), avgPool1d(2));
 */
export function avgPool1d(kernelSize: PerAxis, stride?: PerAxis, options: AvgPoolOptions = {}): AvgPool1d {
  return avgPool('avgPool1d', 1, kernelSize, stride, options);
}

/**
 * Mean of each window, from [N, C, height, width] to [N, C, height′, width′]. `stride` is the kernel's size when absent.
 *
 * Throws GRADPACK-OPTION for options that make no sense; a call throws GRADPACK-SHAPE where the window does not fit.
 *
 * @example
 * const model = sequential(conv2d(1, 8, 3), avgPool2d(2, 2, { padding: 1, countIncludePad: false }));
 */
export function avgPool2d(kernelSize: PerAxis, stride?: PerAxis, options: AvgPoolOptions = {}): AvgPool2d {
  return avgPool('avgPool2d', 2, kernelSize, stride, options);
}

/**
 * Mean of each window of [N, C, depth, height, width]; see `avgPool2d`.
 *
 * @example
 * const model = sequential(conv3d(1, 4, 3), avgPool3d(2));
 */
export function avgPool3d(kernelSize: PerAxis, stride?: PerAxis, options: AvgPoolOptions = {}): AvgPool3d {
  return avgPool('avgPool3d', 3, kernelSize, stride, options);
}

function avgPool<Kind extends AvgPoolKind>(
  kind: Kind,
  axes: number,
  kernelSize: PerAxis,
  stride: PerAxis | undefined,
  options: AvgPoolOptions,
): AvgPool<Kind> {
  const geometry = poolGeometry(kind, axes, kernelSize, stride, options);
  const { countIncludePad = true, divisorOverride } = options;
  if (divisorOverride !== undefined && !(Number.isFinite(divisorOverride) && divisorOverride !== 0))
    throw new GradPackError('GRADPACK-OPTION', 'divisorOverride makes no sense', {
      where: kind,
      expected: 'a finite number other than 0',
      got: divisorOverride,
      fix: 'leave it out to divide by the number of entries',
    });
  const windowFor = (input: Shape): Window => poolWindow(kind, geometry, spatialOf(kind, input, axes));
  return linearMap({
    kind,
    key: `${kind}(${JSON.stringify({ ...geometry, countIncludePad, divisorOverride })})`,
    outputShape: (input) => [...input.slice(0, 2), ...windowFor(input).output],
    at(input, k) {
      const window = windowFor(input);
      const divisors = divisorsOf(window, countIncludePad, divisorOverride);
      return {
        apply: (x) => k.averagePool(x, window, divisors),
        adjoint: (y) => k.averagePoolTransposed(y, window, divisors),
      };
    },
  });
}

/** What the sum of each window is divided by, over all output positions. */
function divisorsOf(
  { input, kernel, output, stride, low }: Window,
  countIncludePad: boolean,
  divisorOverride: number | undefined,
): readonly number[] {
  const counts = output.map((count, axis) => {
    const [extent, side] = [input[axis] as number, low[axis] as number];
    return Array.from({ length: count }, (_, t) => {
      const start = t * (stride[axis] as number) - side;
      // the padding counts, but not what lies beyond it
      const end = Math.min(start + (kernel[axis] as number), extent + side);
      return countIncludePad ? end - start : Math.min(end, extent) - Math.max(start, 0);
    });
  });
  const all = counts.reduce<readonly number[]>(
    (products, along) => products.flatMap((product) => along.map((count) => product * count)),
    [1],
  );
  return divisorOverride === undefined ? all : all.map(() => divisorOverride);
}
