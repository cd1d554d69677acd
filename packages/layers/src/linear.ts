import {
  ALL_CARRIES,
  type Carry,
  featuresLast,
  GradPackError,
  type Kernels,
  type Layer,
  LINEAR_TRAITS,
  layer,
  type Parameter,
  type Shape,
  showShape,
  sizeOf,
  type TensorRef,
} from '@gradpack/core';
import type { MatrixUses } from './bias.js';
import { type MatrixMap, matrixLinearization } from './matrix-map.js';
import { wholeNumber } from './options.js';
import { biasOf, sharedOrNew } from './shared-parameter.js';

export interface LinearOptions {
  /** Whether a bias is added, or a parameter [outFeatures] to share; true when absent. */
  readonly bias?: boolean | Parameter;
  /** A parameter [outFeatures, inFeatures] of another layer to share, as a decoder tied to its embedding does. */
  readonly weight?: Parameter;
}

export interface Linear<Bias extends Parameter | undefined = Parameter | undefined>
  extends Layer<'linear', MatrixUses<Bias>, Carry> {
  /** [outFeatures, inFeatures] */
  readonly weight: Parameter;
  /** [outFeatures] */
  readonly bias: Bias;
}

/**
 * `y[n, t, o] = Σ_i weight[o, i] x[n, t, i] + bias[o]`, from [N, ...middle, inFeatures] to [N, ...middle, outFeatures] with any
 * number of middle axes. Both parameters begin uniform within 1/√inFeatures.
 *
 * Throws GRADPACK-OPTION for sizes that are not whole numbers ≥ 1; a call throws GRADPACK-SHAPE where the last axis is not inFeatures.
 *
 * @example
 * const model = sequential(linear(784, 128), relu(), linear(128, 10, { bias: false }));
 */
export function linear(
  inFeatures: number,
  outFeatures: number,
  options: LinearOptions & { readonly bias: false },
): Linear<undefined>;
export function linear(
  inFeatures: number,
  outFeatures: number,
  options?: LinearOptions & { readonly bias?: true | Parameter },
): Linear<Parameter>;
export function linear(inFeatures: number, outFeatures: number, options: LinearOptions): Linear;
export function linear(inFeatures: number, outFeatures: number, options: LinearOptions = {}): Linear {
  const I = wholeNumber('linear', 'inFeatures', inFeatures, 1);
  const O = wholeNumber('linear', 'outFeatures', outFeatures, 1);
  const bound = 1 / Math.sqrt(I);
  const weight = sharedOrNew(options.weight, [O, I], { kind: 'uniform', bound }, 'linear');
  const bias = biasOf(options.bias, [O], { kind: 'uniform', bound }, 'linear');
  return layer<Linear>({
    kind: 'linear',
    weight,
    bias,
    uses: bias ? ['matrix', 'shift'] : ['matrix'],
    carries: ALL_CARRIES,
    accepts: 'float',
    traits: () => LINEAR_TRAITS,
    outputShapes: (input: Shape) => [[...middleOf(input, I, O), O]],
    linearize: ([x], k, context) =>
      matrixLinearization(x as TensorRef, weight, bias, mapOf(x as TensorRef, O, I, k), k, context),
  });
}

function middleOf(input: Shape, I: number, O: number): Shape {
  const last = input.at(-1);
  if (input.length > 1 && last === I) return input.slice(0, -1);
  const sample = sizeOf(input.slice(1));
  throw new GradPackError('GRADPACK-SHAPE', `linear(${I}, ${O}) got an input of the wrong shape`, {
    where: 'linear',
    expected: `[N, ..., ${I}]`,
    got: showShape(input),
    fix:
      input.length < 2
        ? 'put the batch in front: [N, features], with N = 1 for a single sample'
        : input.length > 2 && sample === I
          ? 'put flatten() in front'
          : `make it linear(${last}, ${O}), or change what comes before`,
  });
}

function mapOf({ shape: [, ...sample] }: TensorRef, O: number, I: number, k: Kernels): MatrixMap {
  const middle = sample.slice(0, -1);
  // x [V|1, N, ...middle, K] times [V|1, O, I], read as [K, features]: one GEMM over all columns unless each has its own weight
  const product = (
    x: TensorRef,
    weight: TensorRef,
    K: number,
    features: number,
    b: { readonly k: number; readonly n: number },
    into?: TensorRef,
  ): TensorRef => {
    const [xV = 1, N = 1] = x.shape;
    const weightV = sizeOf(weight.shape) / (O * I);
    const V = Math.max(xV, weightV);
    const rows = sizeOf(x.shape) / (xV * K);
    const shape = [V, N, ...middle, features];
    if (weightV === 1) return k.gemm(x, weight, { M: xV * rows, N: features, K, a: { m: K, k: 1 }, b }, shape, into);
    return k.gemm(
      x,
      weight,
      { batch: V, M: rows, N: features, K, a: { b: xV === 1 ? 0 : rows * K, m: K, k: 1 }, b: { b: O * I, ...b } },
      shape,
      into,
    );
  };
  return {
    view: { G: 1, O, C: I, K: 1, strides: { g: 0, o: I, c: 1, k: 0 } },
    apply: (x, weight, into) => product(x, weight, I, O, { k: 1, n: I }, into),
    adjoint: (y, weight) => product(y, weight, O, I, { k: I, n: 1 }),
    u: (x) => featuresLast(x, I),
    a: (y) => featuresLast(y, O),
    output: [...middle, O],
    biasShape: [...middle.map(() => 1), O],
  };
}
