import * as expression from '../backend/expression.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import { GradPackError } from '../errors/gradpack-error.js';
import { type Carry, type Layer, LINEAR_TRAITS, layer } from '../module/layer.js';
import type { Value } from '../module/value.js';
import { type Shape, showShape, stridesOf } from '../tensor/shape.js';
import { featureAxis } from './axis.js';
import { ALL_CARRIES } from './carries.js';

const concatLayer = (axis: number): Layer<'concat', never, Carry> =>
  layer<Layer<'concat', never, Carry>>({
    kind: 'concat',
    key: `concat(${axis})`,
    uses: [],
    carries: ALL_CARRIES,
    accepts: 'float',
    traits: () => LINEAR_TRAITS,
    outputShapes: (...inputs: Shape[]) => [joined(inputs, axis)],
    linearize(inputs, k) {
      const shapes = inputs.map((x) => x.shape);
      return {
        outputs: [k.concat(inputs, axis)],
        uses: [],
        pull([columns], want) {
          if (!columns) return { inputs: shapes.map(() => undefined), terms: [] };
          const [V = 1, N = 1] = columns.shape;
          const strides = stridesOf(columns.shape);
          let start = 0;
          const pulled = shapes.map(([, ...part], i) => {
            const offset = start * (strides[axis + 1] as number);
            start += part[axis - 1] as number;
            return want.inputs[i] ? k.gatherStrided(columns, [V, N, ...part], strides, offset) : undefined;
          });
          return { inputs: pulled, terms: [] };
        },
        push(tangents) {
          const given = tangents.filter((t) => t !== undefined);
          if (given.length === 0) return [undefined];
          const V = Math.max(...given.map((t) => t.shape[0] as number));
          const full = shapes.map((shape, i): TensorRef => {
            const t = tangents[i];
            if (!t) return k.full([V, ...shape], 0);
            return t.shape[0] === V ? t : k.map(expression.input(0), [t], { shape: [V, ...shape] });
          });
          return [k.concat(full, axis + 1)];
        },
      };
    },
  });

function joined(shapes: readonly Shape[], axis: number): Shape {
  const [first = []] = shapes;
  for (const shape of shapes)
    if (shape.length !== first.length || shape.some((extent, a) => a !== axis && extent !== first[a]))
      throw new GradPackError('GRADPACK-SHAPE', `concat needs values that agree on every axis but axis ${axis}`, {
        where: 'concat',
        expected: `values like ${showShape(first)}, any extent on axis ${axis}`,
        got: shapes.map(showShape).join(', '),
        fix: 'concatenate along the axis that differs, or make the other extents equal',
      });
  return first.map((extent, a) =>
    a === axis ? shapes.reduce((sum, shape) => sum + (shape[axis] as number), 0) : extent,
  );
}

/**
 * Values one after the other along `axis` (not the batch; negative axes count from the back).
 *
 * Throws GRADPACK-OPTION for the batch axis or no values, GRADPACK-SHAPE where other extents differ.
 *
 * @example
 * class TwoViews extends Module {
 *   constructor(readonly left: Module, readonly right: Module) { super(); }
 *   forward(x: Value) { return concat([this.left.forward(x), this.right.forward(x)], 1); }
 * }
 */
export function concat(values: readonly Value[], axis: number): Value {
  const [first, ...rest] = values;
  if (!first)
    throw new GradPackError('GRADPACK-OPTION', 'concat got no values', {
      where: 'concat',
      expected: 'an array of one or more values',
      got: 'an empty array',
      fix: 'leave the call out, or pass what is to be joined',
    });
  return first.tape.call(concatLayer(featureAxis(axis, first.shape, 'concat')), first, ...rest)[0] as Value;
}
