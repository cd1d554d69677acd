import { GradPackError, type Shape, showShape } from '@gradpack/core';

/** `length`; `height, width`; `depth, height, width`. */
const AXIS_NAMES = ['depth', 'height', 'width'];

/** `[N, 3, height, width]`, for messages. */
export function spatialLayout(axes: number, channels: number | undefined): string {
  const names = axes === 1 ? ['length'] : AXIS_NAMES.slice(3 - axes);
  return `[N, ${channels ?? 'C'}, ${names.join(', ')}]`;
}

/** The spatial extents of an input [N, C, ...spatial]. Throws GRADPACK-SHAPE; `channels` where C is fixed. */
export function spatialOf(where: string, input: Shape, axes: number, channels?: number): Shape {
  const [, C, ...spatial] = input;
  if (spatial.length === axes && (channels === undefined || C === channels)) return spatial;
  const batchMissing = input.length === axes + 1;
  throw new GradPackError('GRADPACK-SHAPE', `${where} got an input of the wrong shape`, {
    where,
    expected: spatialLayout(axes, channels),
    got: showShape(input),
    fix: batchMissing
      ? 'put the batch in front, with extent 1 for a single sample'
      : spatial.length !== axes
        ? `give the input ${axes + 2} axes: batch, channels and ${axes} spatial`
        : `make the layer with ${C} input channels, or move the channels to axis 1`,
  });
}
