import { type Carry, GradPackError, type Layer, linearMap, type Shape, showShape, sizeOf } from '@gradpack/core';

export type Flatten = Layer<'flatten', never, Carry>;

/**
 * Axes `startDim` to `endDim` as one, row-major; from [N, C, H, W] to [N, C·H·W] by default. Negative axes count from the back.
 *
 * Throws GRADPACK-OPTION for the batch axis; a call throws GRADPACK-SHAPE where the input lacks these axes.
 *
 * @example
 * const model = sequential(conv2d(1, 8, 3), relu(), flatten(), linear(8 * 6 * 6, 10));
 */
export function flatten(startDim = 1, endDim = -1): Flatten {
  for (const axis of [startDim, endDim])
    if (!Number.isInteger(axis) || axis === 0)
      throw new GradPackError('GRADPACK-OPTION', 'flatten must leave the batch alone', {
        where: 'flatten',
        expected: 'axes other than 0',
        got: `startDim ${startDim}, endDim ${endDim}`,
        fix: 'axis 0 is the batch; start at axis 1',
      });
  const outputShape = (input: Shape): Shape => {
    const [from, to] = [startDim, endDim].map((axis) => (axis < 0 ? axis + input.length : axis)) as [number, number];
    if (from < 1 || to < from || to >= input.length)
      throw new GradPackError('GRADPACK-SHAPE', 'flatten got an input without these axes', {
        where: 'flatten',
        expected: `[N, ...] with axes ${startDim} to ${endDim} behind the batch`,
        got: showShape(input),
        fix: 'give the input a batch axis and features, or choose other axes',
      });
    return [...input.slice(0, from), sizeOf(input.slice(from, to + 1)), ...input.slice(to + 1)];
  };
  return linearMap({
    kind: 'flatten',
    key: `flatten(${startDim},${endDim})`,
    outputShape,
    at(input, k) {
      const [, ...flat] = outputShape(input);
      return {
        apply: (x) => k.reshape(x, [...x.shape.slice(0, 2), ...flat]),
        adjoint: (y) => k.reshape(y, [...y.shape.slice(0, 2), ...input.slice(1)]),
      };
    },
  });
}
