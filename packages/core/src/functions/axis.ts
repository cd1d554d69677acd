import { GradPackError } from '../errors/gradpack-error.js';
import { type Shape, showShape } from '../tensor/shape.js';

/** An axis other than the batch, counted from the front; negative ones count from the back. Throws GRADPACK-OPTION. */
export function featureAxis(axis: number, shape: Shape, where: string): number {
  const resolved = axis < 0 ? axis + shape.length : axis;
  if (Number.isInteger(resolved) && resolved > 0 && resolved < shape.length) return resolved;
  throw new GradPackError(
    'GRADPACK-OPTION',
    resolved === 0 ? `${where} must leave the batch alone` : `${where} got an axis that does not exist`,
    {
      where,
      expected:
        shape.length < 2
          ? 'a value with an axis beside the batch'
          : `an axis from 1 to ${shape.length - 1}, or from ${1 - shape.length} to -1, of shape ${showShape(shape)}`,
      got: axis,
      fix: 'axis 0 is the batch, which no layer may touch; choose one of the other axes',
    },
  );
}
