import { GradPackError } from '../errors/gradpack-error.js';
import type { Carry, Layer } from '../module/layer.js';
import type { Value } from '../module/value.js';
import { showShape } from '../tensor/shape.js';
import { linearMap } from './linear-map.js';

const permuteLayer = (axes: readonly number[]): Layer<'permute', never, Carry> => {
  const forward = [0, ...axes.map((axis) => axis + 1)];
  const backward = forward.map((_, axis) => forward.indexOf(axis));
  return linearMap({
    kind: 'permute',
    key: `permute(${axes.join(',')})`,
    outputShape: (input) => axes.map((axis) => input[axis] as number),
    at: (_input, k) => ({ apply: (x) => k.permute(x, forward), adjoint: (y) => k.permute(y, backward) }),
  });
};

/**
 * The axes in another order: axis i of the result is axis `axes[i]` of x. The batch stays first; negative axes count from the back.
 *
 * Throws GRADPACK-OPTION where `axes` is not such an order.
 *
 * @example
 * class ChannelsLast extends Module {
 *   forward(x: Value) { return permute(x, [0, 2, 3, 1]); }   // [N, C, H, W] → [N, H, W, C]
 * }
 */
export function permute(x: Value, axes: readonly number[]): Value {
  const rank = x.shape.length;
  const resolved = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  const isOrder = resolved.length === rank && x.shape.every((_, axis) => resolved.includes(axis));
  if (!isOrder || resolved[0] !== 0)
    throw new GradPackError('GRADPACK-OPTION', 'permute needs every axis once, the batch first', {
      where: 'permute',
      expected: `an order of the axes 0 to ${rank - 1} of ${showShape(x.shape)} that begins with 0`,
      got: showShape(axes),
      fix: 'list all axes once and leave axis 0, the batch, in its place',
    });
  return x.tape.call(permuteLayer(resolved), x)[0] as Value;
}
