import { type Carry, type Layer, linearMap, type Shape, stridesOf } from '@gradpack/core';
import { perAxis } from './options.js';
import { spatialOf } from './spatial.js';

export type ZeroPad2d = Layer<'zeroPad2d', never, Carry>;

/**
 * Zeros around each image: from [N, C, height, width] to [N, C, top + height + bottom, left + width + right].
 *
 * Throws GRADPACK-OPTION for padding that is not whole and ≥ 0; a call throws GRADPACK-SHAPE for other than four axes.
 *
 * @param padding one width for all sides, or [left, right, top, bottom]
 * @example
 * const model = sequential(zeroPad2d([0, 1, 0, 1]), conv2d(1, 8, 2));
 */
export function zeroPad2d(
  padding: number | readonly [left: number, right: number, top: number, bottom: number],
): ZeroPad2d {
  const [left = 0, right = 0, top = 0, bottom = 0] = perAxis(
    'zeroPad2d',
    'padding (left, right, top, bottom)',
    padding,
    4,
    0,
  );
  const outputShape = (input: Shape): Shape => {
    const [height = 1, width = 1] = spatialOf('zeroPad2d', input, 2);
    return [...input.slice(0, 2), top + height + bottom, left + width + right];
  };
  return linearMap({
    kind: 'zeroPad2d',
    key: `zeroPad2d(${left},${right},${top},${bottom})`,
    outputShape,
    at(input, k) {
      const [, ...features] = outputShape(input);
      const offset = top * (features.at(-1) as number) + left;
      return {
        apply(x) {
          const padded = [...x.shape.slice(0, 2), ...features];
          const target = k.full(padded, 0);
          k.scatterStrided(x, target, stridesOf(padded), offset, false);
          return target;
        },
        adjoint: (y) => k.gatherStrided(y, [...y.shape.slice(0, 2), ...input.slice(1)], stridesOf(y.shape), offset),
      };
    },
  });
}
