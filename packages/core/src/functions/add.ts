import * as expression from '../backend/expression.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import { type Carry, type Layer, LINEAR_TRAITS, layer } from '../module/layer.js';
import type { Value } from '../module/value.js';
import type { Shape } from '../tensor/shape.js';
import { ALL_CARRIES } from './carries.js';
import { requireEqualShapes } from './equal-shapes.js';
import { sumColumns } from './sum.js';

const { input } = expression;

const ADD: Layer<'add', never, Carry> = layer<Layer<'add', never, Carry>>({
  kind: 'add',
  key: 'add',
  uses: [],
  carries: ALL_CARRIES,
  accepts: 'float',
  traits: () => LINEAR_TRAITS,
  outputShapes: (a: Shape, b: Shape) => [requireEqualShapes(a, b, 'add')],
  linearize: ([a, b], k) => ({
    outputs: [k.map(expression.add(input(0), input(1)), [a as TensorRef, b as TensorRef])],
    uses: [],
    pull: ([columns], want) => ({ inputs: want.inputs.map((wanted) => (wanted ? columns : undefined)), terms: [] }),
    push: (tangents) => [sumColumns(k, ...tangents)],
  }),
});

/**
 * `a + b`, entry by entry: where branches meet, as in a residual block.
 *
 * Throws GRADPACK-SHAPE where the shapes differ.
 *
 * @example
 * class Residual extends Module {
 *   constructor(readonly body: Module) { super(); }
 *   forward(x: Value) { return add(this.body.forward(x), x); }
 * }
 */
export function add(a: Value, b: Value): Value {
  return a.tape.call(ADD, a, b)[0] as Value;
}
