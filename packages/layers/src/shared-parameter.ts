import {
  GradPackError,
  type Initializer,
  type Parameter,
  parameter,
  type Shape,
  sameShape,
  showShape,
} from '@gradpack/core';

/** A parameter of another layer, which is then tied (its uses are summed before anything is squared), or a new one. Throws GRADPACK-SHAPE. */
export function sharedOrNew(
  shared: Parameter | undefined,
  shape: Shape,
  initializer: Initializer,
  where: string,
): Parameter {
  if (!shared) return parameter(shape, initializer);
  if (sameShape(shared.shape, shape)) return shared;
  throw new GradPackError('GRADPACK-SHAPE', `the shared parameter does not fit this ${where} layer`, {
    where,
    expected: showShape(shape),
    got: showShape(shared.shape),
    fix: 'share a parameter of this shape, or leave it out',
  });
}

/** The bias of a layer: new, shared or none. */
export function biasOf(
  option: boolean | Parameter | undefined,
  shape: Shape,
  initializer: Initializer,
  where: string,
): Parameter | undefined {
  if (option === false) return undefined;
  return sharedOrNew(typeof option === 'object' ? option : undefined, shape, initializer, where);
}
