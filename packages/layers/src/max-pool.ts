import {
  ALL_CARRIES,
  type Carry,
  type Layer,
  layer,
  type Shape,
  sizeOf,
  type TensorRef,
  type Window,
} from '@gradpack/core';
import type { PerAxis } from './options.js';
import { poolGeometry, poolWindow } from './pool-window.js';
import { spatialOf } from './spatial.js';

export interface MaxPoolOptions {
  /** On both sides, at most half the kernel; 0 when absent. */
  readonly padding?: PerAxis;
  /** Distance between kernel entries; 1 when absent. */
  readonly dilation?: PerAxis;
  /** Whether a last window may reach beyond the input; false when absent. */
  readonly ceilMode?: boolean;
}

type MaxPoolKind = 'maxPool1d' | 'maxPool2d' | 'maxPool3d';
export type MaxPool<Kind extends MaxPoolKind> = Layer<Kind, never, Carry>;
export type MaxPool1d = MaxPool<'maxPool1d'>;
export type MaxPool2d = MaxPool<'maxPool2d'>;
export type MaxPool3d = MaxPool<'maxPool3d'>;

/**
 * Largest entry of each window of [N, C, length]; see `maxPool2d`.
 *
 * @example
 * const model = sequential(conv1d(2, 4, 3), maxPool1d(2));
 */
export function maxPool1d(kernelSize: PerAxis, stride?: PerAxis, options: MaxPoolOptions = {}): MaxPool1d {
  return maxPool('maxPool1d', 1, kernelSize, stride, options);
}

/**
 * Largest entry of each window, from [N, C, height, width] to [N, C, height′, width′]; the first of equal ones gets the cotangent,
 * NaN wins, and padding never does. `stride` is the kernel's size when absent.
 *
 * Throws GRADPACK-OPTION for options that make no sense; a call throws GRADPACK-SHAPE where the window does not fit.
 *
 * @example
 * const model = sequential(conv2d(1, 8, 3), relu(), maxPool2d(3, 2, { padding: 1, ceilMode: true }));
 */
export function maxPool2d(kernelSize: PerAxis, stride?: PerAxis, options: MaxPoolOptions = {}): MaxPool2d {
  return maxPool('maxPool2d', 2, kernelSize, stride, options);
}

/**
 * Largest entry of each window of [N, C, depth, height, width]; see `maxPool2d`.
 *
 * @example
 * const model = sequential(conv3d(1, 4, 3), maxPool3d([1, 2, 2]));
 */
export function maxPool3d(kernelSize: PerAxis, stride?: PerAxis, options: MaxPoolOptions = {}): MaxPool3d {
  return maxPool('maxPool3d', 3, kernelSize, stride, options);
}

function maxPool<Kind extends MaxPoolKind>(
  kind: Kind,
  axes: number,
  kernelSize: PerAxis,
  stride: PerAxis | undefined,
  options: MaxPoolOptions,
): MaxPool<Kind> {
  const geometry = poolGeometry(kind, axes, kernelSize, stride, options);
  const windowFor = (input: Shape): Window => poolWindow(kind, geometry, spatialOf(kind, input, axes));
  return layer<MaxPool<Kind>>({
    kind,
    key: `${kind}(${JSON.stringify(geometry)})`,
    uses: [],
    carries: ALL_CARRIES,
    accepts: 'float',
    traits: () => ({ curvature: 'none', sampleFree: false, mixesSamples: false }),
    outputShapes: (input: Shape) => [[...input.slice(0, 2), ...windowFor(input).output]],
    linearize([input], k) {
      const x = input as TensorRef;
      const window = windowFor(x.shape);
      const { values, index } = k.maxPool(x, window);
      const S = sizeOf(window.input);
      return {
        outputs: [values],
        uses: [],
        pull: ([columns], want) => ({
          inputs: [
            columns && want.inputs[0]
              ? k.scatterAdd(columns, index, S, [columns.shape[0] as number, ...x.shape])
              : undefined,
          ],
          terms: [],
        }),
        push: ([tangents]) => [
          tangents && k.gather(tangents, index, S, [tangents.shape[0] as number, ...values.shape]),
        ],
      };
    },
  });
}
