import {
  ALL_CARRIES,
  type BoundLoss,
  type Carry,
  expression,
  GradPackError,
  type Kernels,
  type Loss,
  loss,
  type Shape,
  showShape,
  sizeOf,
  type TensorRef,
} from '@gradpack/core';
import { type LossOptions, meanFactor, type Reduction, requireReduction } from './reduction.js';

const { add, coordinate, cos, equal, input, log, mul, sqrt, sub, where } = expression;

export interface MSELoss extends Loss<Carry> {
  readonly kind: 'mseLoss';
}

/**
 * `Σ (f − y)² / K` over samples n and features d, K = N · D for the mean and 1 for the sum (no ½). Output and target: [N, ...features].
 * Its Hessian is 2/K times the identity; sampled labels are normal around the output with variance ½, as in BackPACK.
 *
 * Given labels are standard normals z [M, N, ...features], and stand for `y = f + z/√2`.
 *
 * Throws GRADPACK-OPTION for an unknown reduction, GRADPACK-SHAPE where output and target differ in shape.
 *
 * @example
 * const net = await extend(sequential(linear(3, 1)), mseLoss(), { backend });
 * await net.backward([[1, 2, 3]], [[6]]);
 */
export function mseLoss({ reduction = 'mean' }: LossOptions = {}): MSELoss {
  requireReduction('mseLoss', reduction);
  return loss<MSELoss>({
    kind: 'mseLoss',
    carries: ALL_CARRIES,
    key: `mseLoss(${reduction})`,
    target(output) {
      if (output.length > 0) return { dtype: 'float', shape: output };
      throw new GradPackError('GRADPACK-SHAPE', 'mseLoss got an output without a batch', {
        where: 'mseLoss',
        expected: '[N, ...features]',
        got: showShape(output),
        fix: 'keep the batch as axis 0 of the output',
      });
    },
    columns: (output) => featuresOf(output),
    bind: (output, target, k) => bindMSE(output, target, reduction, k),
  });
}

function featuresOf([, ...features]: Shape): number {
  return sizeOf(features);
}

function bindMSE(output: TensorRef, target: TensorRef, reduction: Reduction, k: Kernels): BoundLoss {
  const { shape } = output;
  const [N = 1] = shape;
  const D = featuresOf(shape);
  const K = meanFactor(reduction, shape);
  const difference = sub(input(0), input(1));
  const squared = mul(difference, difference);
  const axes = shape.map((_, axis) => axis);
  return {
    value: () =>
      reduction === 'none'
        ? k.map(squared, [output, target])
        : k.reduce('sum', squared, [output, target], axes, { scale: 1 / K }),
    gradient: () => k.map(mul(2 / K, difference), [k.reshape(output, [1, ...shape]), target]),
    // column v is √(2/K) at feature v
    exactFactor: (_form, { from, to }) =>
      k.reshape(
        k.map(where(equal(coordinate(2), add(coordinate(0), from)), Math.sqrt(2 / K), 0), [], {
          shape: [to - from, N, D],
        }),
        [to - from, ...shape],
      ),
    sampledFactor(samples, draws, { from, to }) {
      const amplitude = Math.sqrt(2 / (samples * K));
      const M = to - from;
      if ('labels' in draws) return k.map(mul(amplitude, input(0)), [k.rows(draws.labels, from, to)]);
      // Box–Muller: two uniforms for each entry, at positions 2i and 2i + 1
      const uniforms = k.random(draws.stream, from, [M, N, 2 * D]);
      const everySecond = (first: number): TensorRef =>
        k.gatherStrided(
          uniforms,
          [M, ...shape],
          [2 * N * D, ...shape.map((_, axis) => 2 * sizeOf(shape.slice(axis + 1)))],
          first,
        );
      const normal = mul(sqrt(mul(-2, log(input(0)))), cos(mul(2 * Math.PI, input(1))));
      return k.map(mul(amplitude, normal), [everySecond(0), everySecond(1)]);
    },
    hessianProduct: (tangents) => k.map(mul(2 / K, input(0)), [tangents]),
  };
}
