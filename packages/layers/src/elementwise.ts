import {
  ALL_CARRIES,
  type Carry,
  type Expression,
  expression,
  type Layer,
  layer,
  type Shape,
  type TensorRef,
  type Traits,
} from '@gradpack/core';

const { derivative, input, isZero, mul, substitute } = expression;

export type Elementwise<Kind extends string> = Layer<Kind, never, Carry>;

/**
 * The layer `y = f(x)`, entry by entry and for any shape, from the expression of f; its derivatives are symbolic.
 *
 * @param key kind and options: layers with equal keys are interchangeable
 * @param f of `input(0)`
 * @param slope f′, where the symbolic derivative of f takes a wrong branch at a kink
 * @example
 * const { input, mul, tanh } = expression;
 * export const scaledTanh = (): Elementwise<'acme/scaledTanh'> => elementwise('acme/scaledTanh', 'acme/scaledTanh', mul(1.7159, tanh(mul(2 / 3, input(0)))));
 */
export function elementwise<Kind extends string>(
  kind: Kind,
  key: string,
  f: Expression,
  slope: Expression = derivative(f),
): Elementwise<Kind> {
  const curvature = derivative(slope);
  const isPiecewiseLinear = isZero(curvature);
  const traits: Traits = {
    curvature: isPiecewiseLinear ? 'none' : 'elementwise',
    sampleFree: false,
    mixesSamples: false,
  };
  const at1 = (e: Expression): Expression => substitute(e, [input(1)]);
  return layer<Elementwise<Kind>>({
    kind,
    key,
    uses: [],
    carries: ALL_CARRIES,
    accepts: 'float',
    traits: () => traits,
    outputShapes: (shape: Shape) => [shape],
    linearize(inputs, k) {
      const x = inputs[0] as TensorRef;
      // a slope that is only a comparison is cheaper to make again for each column than to store
      const stored = isPiecewiseLinear ? undefined : k.map(slope, [x]);
      const times = (columns: TensorRef): TensorRef =>
        stored ? k.map(mul(input(0), input(1)), [columns, stored]) : k.map(mul(input(0), at1(slope)), [columns, x]);
      const residual = (gradient: TensorRef): TensorRef => k.map(mul(input(0), at1(curvature)), [gradient, x]);
      return {
        outputs: [k.map(f, [x])],
        uses: [],
        pull: ([columns], want) => ({ inputs: [columns && want.inputs[0] ? times(columns) : undefined], terms: [] }),
        push: ([tangents]) => [tangents && times(tangents)],
        ...(!isPiecewiseLinear && {
          residual,
          pullTangent: ([gradient], [tangents], _parameters, want) => ({
            inputs: [
              gradient && tangents && want.inputs[0]
                ? k.map(mul(input(0), input(1)), [tangents, residual(gradient)])
                : undefined,
            ],
            terms: [],
          }),
        }),
      };
    },
  });
}
