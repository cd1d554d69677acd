import {
  type Buffer,
  expression,
  featuresFirst,
  type Kernels,
  type Linearization,
  type LinearizeContext,
  type Parameter,
  type ScaleUse,
  type ShiftUse,
  sizeOf,
  sumColumns,
  type TensorRef,
} from '@gradpack/core';

/** What a normalisation by fixed statistics is made of; gain and shift are both there or both absent. */
export interface Normalization {
  readonly weight: Parameter | undefined;
  readonly bias: Parameter | undefined;
  readonly runningMean: Buffer;
  readonly runningVar: Buffer;
  readonly eps: number;
}

const { add, div, input, mul, sqrt, sub } = expression;
const TIMES = mul(input(0), input(1));

/** `y = γ x̂ + b` for each channel on axis 1, `x̂ = (x − mean) r`, `r = 1/√(variance + eps)`. */
export function scaleAndShift(
  x: TensorRef,
  { weight, bias, runningMean, runningVar, eps }: Normalization,
  k: Kernels,
  context: LinearizeContext,
): Linearization<ScaleUse | ShiftUse> {
  const [, C = 1, ...spatial] = x.shape;
  const perChannel = [C, ...spatial.map(() => 1)];
  const numbersOf = (of: Parameter): TensorRef => k.reshape(context.valueOf(of), perChannel);
  /** A tangent [V, C] that lies over columns [V, N, C, ...spatial]. */
  const over = (tangent: TensorRef): TensorRef => k.reshape(tangent, [sizeOf(tangent.shape) / C, 1, ...perChannel]);
  const times = (columns: TensorRef, factor: TensorRef): TensorRef => k.map(TIMES, [columns, factor]);

  const r = k.map(div(1, sqrt(add(input(0), eps))), [numbersOf(runningVar)]);
  const normalized = k.map(mul(sub(input(0), input(1)), input(2)), [x, numbersOf(runningMean), r]);
  if (!weight || !bias)
    return {
      outputs: [normalized],
      uses: [],
      pull: ([columns], want) => ({ inputs: [columns && want.inputs[0] ? times(columns, r) : undefined], terms: [] }),
      push: ([tangents]) => [tangents && times(tangents, r)],
    };

  const gain = times(r, numbersOf(weight));
  const columnsOf = (t: TensorRef): TensorRef => k.reshape(t, [1, ...t.shape]);
  const scale: ScaleUse = { kind: 'scale', parameter: weight, u: featuresFirst(columnsOf(normalized), C) };
  const shift: ShiftUse = { kind: 'shift', parameter: bias };
  return {
    outputs: [k.map(add(mul(input(0), input(1)), input(2)), [normalized, numbersOf(weight), numbersOf(bias)])],
    uses: [scale, shift],
    pull([columns], want) {
      if (!columns) return { inputs: [undefined], terms: [] };
      const a = featuresFirst(columns, C);
      return {
        inputs: [want.inputs[0] ? times(columns, gain) : undefined],
        terms: [...(want.uses[0] ? [{ use: scale, a }] : []), ...(want.uses[1] ? [{ use: shift, a }] : [])],
      };
    },
    push([tangents], parameters) {
      const [dWeight, dBias] = [parameters.get(weight), parameters.get(bias)];
      const all = dBias && k.map(input(0), [over(dBias)], { shape: [sizeOf(dBias.shape) / C, ...x.shape] });
      return [
        sumColumns(k, tangents && times(tangents, gain), dWeight && times(columnsOf(normalized), over(dWeight)), all),
      ];
    },
    pullTangent([delta], [tangents], parameters, want) {
      if (!delta) return { inputs: [undefined], terms: [] };
      const dWeight = parameters.get(weight);
      return {
        inputs: [want.inputs[0] && dWeight ? times(times(delta, r), over(dWeight)) : undefined],
        terms:
          want.uses[0] && tangents
            ? [{ use: { ...scale, u: featuresFirst(times(tangents, r), C) }, a: featuresFirst(delta, C) }]
            : [],
      };
    },
  };
}
