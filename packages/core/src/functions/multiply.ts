import * as expression from '../backend/expression.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import { type Carry, type Layer, layer } from '../module/layer.js';
import type { Value } from '../module/value.js';
import type { Shape } from '../tensor/shape.js';
import { ALL_CARRIES } from './carries.js';
import { requireEqualShapes } from './equal-shapes.js';
import { linearMap } from './linear-map.js';
import { sumColumns } from './sum.js';

const PRODUCT = expression.mul(expression.input(0), expression.input(1));

const MULTIPLY: Layer<'multiply', never, Carry> = layer<Layer<'multiply', never, Carry>>({
  kind: 'multiply',
  key: 'multiply',
  uses: [],
  carries: ALL_CARRIES,
  accepts: 'float',
  traits: () => ({ curvature: 'coupled', sampleFree: false, mixesSamples: false }),
  outputShapes: (a: Shape, b: Shape) => [requireEqualShapes(a, b, 'mul')],
  linearize(inputs, k) {
    const [a, b] = inputs as readonly [TensorRef, TensorRef];
    const times = (columns: TensorRef | undefined, factor: TensorRef) => columns && k.map(PRODUCT, [columns, factor]);
    return {
      outputs: [k.map(PRODUCT, [a, b])],
      uses: [],
      pull: ([columns], want) => ({
        inputs: [want.inputs[0] ? times(columns, b) : undefined, want.inputs[1] ? times(columns, a) : undefined],
        terms: [],
      }),
      push: ([da, db]) => [sumColumns(k, times(da, b), times(db, a))],
      // ∂(δb)/∂b · ḃ at a, ∂(δa)/∂a · ȧ at b
      pullTangent: ([delta], [da, db], _parameters, want) => ({
        inputs: [
          delta && want.inputs[0] ? times(db, delta) : undefined,
          delta && want.inputs[1] ? times(da, delta) : undefined,
        ],
        terms: [],
      }),
    };
  },
});

const scale = (factor: number): Layer<'scale', never, Carry> =>
  linearMap({
    kind: 'scale',
    key: 'scale',
    scalars: [factor],
    outputShape: (shape) => shape,
    at(_input, k, [bound]) {
      const times = (x: TensorRef): TensorRef => k.map(PRODUCT, [x, k.reshape(bound as TensorRef, [])]);
      return { apply: times, adjoint: times };
    },
  });

/**
 * `a · b`, entry by entry for two values (also for one value twice), or a value times a number. The number may change from call to
 * call without a new plan.
 *
 * Throws GRADPACK-SHAPE where the shapes of two values differ.
 *
 * @example
 * class Gated extends Module {
 *   constructor(readonly value: Module, readonly gate: Module) { super(); }
 *   forward(x: Value) { return mul(mul(this.value.forward(x), this.gate.forward(x)), 0.5); }
 * }
 */
export function mul(a: Value, b: Value | number): Value {
  return (typeof b === 'number' ? a.tape.call(scale(b), a) : a.tape.call(MULTIPLY, a, b))[0] as Value;
}
