import * as core from '@gradpack/core';

const { add, derivative, input, mul, sin } = core.expression;

export type FrequencyUse = core.CustomUse<'acme/frequency'>;
export interface Fourier extends core.Layer<'acme/fourier', FrequencyUse, core.Carry> {
  /** ω [F] */
  readonly frequency: core.Parameter;
}

// of x, ω, a column, ẋ and ω̇
const y = sin(mul(input(0), input(1)));
const [byX, byFrequency] = [derivative(y, 0), derivative(y, 1)];
const times = (e: core.Expression) => mul(e, input(2));
const along = (e: core.Expression) => add(mul(derivative(e, 0), input(3)), mul(derivative(e, 1), input(4)));

/** `y[n, t, f] = sin(ω[f] x[n, t, f])`, for any shape [N, ..., F]. */
export function fourier(F: number): Fourier {
  const frequency = core.parameter([F], { kind: 'uniform', bound: 2 });
  const term = (a: core.TensorRef, slope: core.TensorRef) => ({ use: useOf(slope), a: core.featuresLast(a, F) });
  const useOf = (slope: core.TensorRef): FrequencyUse => ({
    kind: 'acme/frequency',
    parameter: frequency,
    curved: true,
    columns: slope.shape[0] as number,
    // G[v, n] = Σ_t a ∂y/∂ω
    blockOf: (a, at, k) =>
      k.reduce('sum', mul(input(0), input(1)), [a, core.blockOf(core.featuresLast(slope, F), at, k)], [2]),
  });
  return core.layer<Fourier>({
    kind: 'acme/fourier',
    frequency,
    uses: ['acme/frequency'],
    carries: core.ALL_CARRIES,
    accepts: 'float',
    traits: () => ({ curvature: 'elementwise', sampleFree: false, mixesSamples: false }),
    outputShapes: (shape: core.Shape) => [shape],
    linearize([value], k, context) {
      const x = value as core.TensorRef;
      const zero = k.full([1, ...x.shape.map(() => 1)], 0);
      const at = (e: core.Expression, a = zero, dx = zero, dw = zero) =>
        k.map(e, [x, context.valueOf(frequency), a, dx, dw]);
      const over = (dw?: core.TensorRef) =>
        dw && k.reshape(dw, [dw.shape[0] as number, ...x.shape.slice(1).map(() => 1), F]);
      const slope = at(byFrequency);
      return {
        outputs: [k.reshape(at(y), x.shape)],
        uses: [useOf(slope)],
        pull: ([a = zero]) => ({ inputs: [at(times(byX), a)], terms: [term(a, slope)] }),
        push: ([dx], moves) => [at(along(y), zero, dx, over(moves.get(frequency)))],
        pullTangent([a = zero], [dx], moves) {
          const dw = over(moves.get(frequency));
          return { inputs: [at(times(along(byX)), a, dx, dw)], terms: [term(a, at(along(byFrequency), zero, dx, dw))] };
        },
        residual: (a) => at(times(derivative(byX)), a),
      };
    },
  });
}
