import {
  type DenseFactor,
  expression,
  type Factor,
  type Kernels,
  type Linearization,
  type LinearizeContext,
  type MatrixUse,
  type MatrixView,
  mergeGroups,
  type Parameter,
  type Shape,
  type ShiftUse,
  sizeOf,
  sumColumns,
  type TensorRef,
} from '@gradpack/core';

/**
 * How a matrix parameter acts on inputs of one shape: `y = W u(x)`. Inputs, outputs and weights are columns, [V|1, …] each.
 * V columns, N samples, O rows of W.
 */
export interface MatrixMap {
  readonly view: MatrixView;
  /** [V|1, N, ...input] and [V|1, ...θ] → [V, N, ...output]; N from x. */
  apply(x: TensorRef, weight: TensorRef, into?: TensorRef): TensorRef;
  /** The adjoint in x: [V|1, N, ...output] and [V|1, ...θ] → [V, N, ...input]. */
  adjoint(y: TensorRef, weight: TensorRef): TensorRef;
  /** x as the layer reads it: [V, N, G, C·K, T]. */
  u(x: TensorRef): Factor;
  /** Columns of the output: [V, N, G, O, T]. */
  a(y: TensorRef): DenseFactor;
  /** Of one sample. */
  readonly output: Shape;
  /** A bias of G·O numbers, broadcast over `output`. */
  readonly biasShape: Shape;
}

/** `y = W u(x) + b`: bilinear in input and parameters, so that `pullTangent` is `pull` with one of the two exchanged. */
export function matrixLinearization(
  input: TensorRef,
  weight: Parameter,
  bias: Parameter | undefined,
  map: MatrixMap,
  k: Kernels,
  context: LinearizeContext,
): Linearization<MatrixUse | ShiftUse> {
  const { apply, adjoint, u, a, view, output, biasShape } = map;
  const [N = 1] = input.shape;
  const x = k.reshape(input, [1, ...input.shape]);
  const W = k.reshape(context.valueOf(weight), [1, ...weight.shape]);
  const overSamples = (b: TensorRef): TensorRef => {
    const V = sizeOf(b.shape) / sizeOf(biasShape);
    return k.map(expression.input(0), [k.reshape(b, [V, 1, ...biasShape])], { shape: [V, N, ...output] });
  };
  const y = apply(x, W, bias && overSamples(context.valueOf(bias)));

  const matrix: MatrixUse = { kind: 'matrix', parameter: weight, u: u(x), view };
  const shift: ShiftUse | undefined = bias && { kind: 'shift', parameter: bias };
  return {
    outputs: [k.reshape(y, [N, ...output])],
    uses: shift ? [matrix, shift] : [matrix],
    pull([columns], want) {
      if (!columns) return { inputs: [undefined], terms: [] };
      return {
        inputs: [want.inputs[0] ? adjoint(columns, W) : undefined],
        terms: [
          ...(want.uses[0] ? [{ use: matrix, a: a(columns) }] : []),
          ...(shift && want.uses[1] ? [{ use: shift, a: mergeGroups(a(columns)) }] : []),
        ],
      };
    },
    push([tangents], parameters) {
      const dW = parameters.get(weight);
      const db = bias && parameters.get(bias);
      return [sumColumns(k, tangents && apply(tangents, W), dW && apply(x, dW), db && overSamples(db))];
    },
    pullTangent([delta], [tangents], parameters, want) {
      if (!delta) return { inputs: [undefined], terms: [] };
      const dW = parameters.get(weight);
      return {
        inputs: [want.inputs[0] && dW ? adjoint(delta, dW) : undefined],
        terms: want.uses[0] && tangents ? [{ use: { ...matrix, u: u(tangents) }, a: a(delta) }] : [],
      };
    },
  };
}
