import { GradPackError } from '../errors/gradpack-error.js';
import { type Shape, sameShape, showShape } from '../tensor/shape.js';

/** Throws GRADPACK-SHAPE where two values that meet entry by entry differ in shape. */
export function requireEqualShapes(a: Shape, b: Shape, where: string): Shape {
  if (sameShape(a, b)) return a;
  throw new GradPackError('GRADPACK-SHAPE', `${where} needs two values of one shape`, {
    where,
    expected: `a second value of shape ${showShape(a)}`,
    got: showShape(b),
    fix: 'nothing is broadcast here: reshape the values, or make their layers give equal shapes',
  });
}
