import { GradPackError } from '../errors/gradpack-error.js';
import type { Carry, Layer } from '../module/layer.js';
import type { Value } from '../module/value.js';
import { type Shape, showShape, sizeOf } from '../tensor/shape.js';
import { linearMap } from './linear-map.js';

const reshapeLayer = (features: Shape): Layer<'reshape', never, Carry> =>
  linearMap({
    kind: 'reshape',
    key: `reshape(${features.join(',')})`,
    outputShape: ([batch = 1]) => [batch, ...features],
    at: ([, ...from], k) => ({
      apply: (x) => k.reshape(x, [...x.shape.slice(0, 2), ...features]),
      adjoint: (y) => k.reshape(y, [...y.shape.slice(0, 2), ...from]),
    }),
  });

/**
 * The same numbers in another shape, row-major. `shape` is the whole shape: axis 0 is the batch, given as it is or as −1, and one
 * −1 stands for what is left.
 *
 * Throws GRADPACK-SHAPE where the sizes do not match or the batch changes.
 *
 * @example
 * class Windows extends Module {
 *   forward(x: Value) { return reshape(x, [x.shape[0] ?? 1, 4, -1]); }   // [N, 12] → [N, 4, 3]
 * }
 */
export function reshape(x: Value, shape: Shape): Value {
  const [batch = 1, ...from] = x.shape;
  const [first, ...features] = shape;
  const known = features.reduce((size, extent) => (extent === -1 ? size : size * extent), 1);
  const free = shape.filter((extent) => extent === -1).length;
  const resolved = features.map((extent) => (extent === -1 ? sizeOf(from) / known : extent));
  const isExtent = (extent: number): boolean => Number.isInteger(extent) && extent > 0;
  if ((first !== batch && first !== -1) || free > 1 || !resolved.every(isExtent) || sizeOf(resolved) !== sizeOf(from))
    throw new GradPackError('GRADPACK-SHAPE', 'reshape must keep the batch and the number of entries', {
      where: 'reshape',
      expected: `[${batch} or -1, ...] with ${sizeOf(from)} entries for each sample of ${showShape(x.shape)}, at most one -1`,
      got: showShape(shape),
      fix: 'give the batch first (x.shape[0] or -1) and extents whose product is the size of one sample',
    });
  return x.tape.call(reshapeLayer(resolved), x)[0] as Value;
}
