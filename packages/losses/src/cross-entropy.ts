import {
  ALL_CARRIES,
  type BoundLoss,
  type Carry,
  expression,
  type FactorForm,
  GradPackError,
  type Kernels,
  type Loss,
  loss,
  type Range,
  type Shape,
  showShape,
  sizeOf,
  type TensorRef,
} from '@gradpack/core';
import { type LossOptions, meanFactor, type Reduction, requireReduction } from './reduction.js';
import { complement, type Softmax, softmax, softmaxCovarianceProduct } from './softmax.js';

const { add, coordinate, div, equal, input, mul, neg, sqrt, where } = expression;

export interface CrossEntropyLoss extends Loss<Carry> {
  readonly kind: 'crossEntropyLoss';
}

/**
 * `−Σ log softmax(f)[target] / K` for logits [N, C, ...positions] and int32 classes [N, ...positions], K = N · positions for the mean
 * and 1 for the sum. Exact at large logits: nothing is subtracted from 1.
 *
 * Given labels are classes [M, N, ...positions].
 *
 * Throws GRADPACK-OPTION for an unknown reduction, GRADPACK-SHAPE for an output without classes; a step throws GRADPACK-INDEX for
 * classes out of range.
 *
 * @example
 * const net = await extend(sequential(linear(4, 3)), crossEntropyLoss(), { backend });
 * await net.backward([[1, 2, 3, 4]], Int32Array.of(2));
 */
export function crossEntropyLoss({ reduction = 'mean' }: LossOptions = {}): CrossEntropyLoss {
  requireReduction('crossEntropyLoss', reduction);
  return loss<CrossEntropyLoss>({
    kind: 'crossEntropyLoss',
    carries: ALL_CARRIES,
    key: `crossEntropyLoss(${reduction})`,
    target(output) {
      const [N, C, ...positions] = output;
      if (N !== undefined && C !== undefined) return { dtype: 'int32', shape: [N, ...positions], bound: C };
      throw new GradPackError('GRADPACK-SHAPE', 'crossEntropyLoss got an output without classes', {
        where: 'crossEntropyLoss',
        expected: '[N, C, ...positions], classes on axis 1',
        got: showShape(output),
        fix: 'let the last layer give one logit for each class',
      });
    },
    columns: ([, C = 1, ...positions]: Shape, form) => classColumns(C, form) * sizeOf(positions),
    bind: (output, target, k) => bindCrossEntropy(output, target, reduction, k),
  });
}

/** A single class has no C − 1 columns; its one full column is zero. */
function classColumns(C: number, form: FactorForm): number {
  return form === 'full' || C === 1 ? C : C - 1;
}

function bindCrossEntropy(output: TensorRef, target: TensorRef, reduction: Reduction, k: Kernels): BoundLoss {
  const p = softmax(output, k);
  const { N, C, P, probabilities, surprise, others } = p;
  const K = meanFactor(reduction, target.shape);
  const classes = k.reshape(target, [N, 1, P]);
  const asColumns = (x: TensorRef): TensorRef => k.reshape(x, [x.shape[0] as number, ...output.shape]);
  // p − onehot(label), the label's own entry as −(1 − p); labels [V, N, 1, P]
  const towards = (labels: TensorRef, scale: number): TensorRef => {
    const [V = 1] = labels.shape;
    const isLabel = equal(coordinate(2), input(2));
    return asColumns(
      k.map(
        mul(scale, where(isLabel, neg(complement(input(0), input(1))), input(0))),
        [probabilities, others, labels],
        { shape: [V, N, C, P] },
      ),
    );
  };
  const own = where(equal(coordinate(1), input(1)), input(0), 0);
  return {
    value: () =>
      reduction === 'none'
        ? k.reshape(k.reduce('sum', own, [surprise, classes], [1]), target.shape)
        : k.reduce('sum', own, [surprise, classes], [0, 1, 2], { scale: 1 / K }),
    gradient: () => towards(k.reshape(target, [1, N, 1, P]), 1 / K),
    exactFactor: (form, range) => asColumns(exactColumns(p, form, range, 1 / Math.sqrt(K), k)),
    sampledFactor(samples, draws, { from, to }) {
      const M = to - from;
      const labels =
        'labels' in draws
          ? k.rows(draws.labels, from, to)
          : k.categorical(probabilities, k.random(draws.stream, from, [M, N, P]));
      return towards(k.reshape(labels, [M, N, 1, P]), 1 / Math.sqrt(samples * K));
    },
    hessianProduct: (tangents) =>
      k.reshape(
        softmaxCovarianceProduct(p, k.reshape(tangents, [tangents.shape[0] as number, N, C, P]), 1 / K, k),
        tangents.shape,
      ),
  };
}

/**
 * Columns [from, to) of S with `S Sᵀ = diag p − p pᵀ`, τ = √p. Column v belongs to one class j and one position, row-major over
 * (classes, positions), and is zero at the others: [to − from, N, C, P].
 *
 * - full (BackPACK): `S[c] = τ_c (δ_cj − τ_c τ_j)`, every class j
 * - reduced: `S = diag(τ) Q`, Q the columns j ≥ 1 of the Householder reflection that takes τ to −e₀, so that Q Qᵀ = I − τ τᵀ:
 *   `S[0] = −τ₀ τ_j` and `S[c] = τ_c (δ_cj − τ_c τ_j / (1 + τ₀))`. No entry loses digits: the diagonal is `τ_j (τ₀ + (1 − p_j)) / (1 + τ₀)`.
 */
function exactColumns(
  { N, C, P, probabilities, others }: Softmax,
  form: FactorForm,
  { from, to }: Range,
  scale: number,
  k: Kernels,
): TensorRef {
  const isFull = classColumns(C, form) === C;
  const columns = Array.from({ length: to - from }, (_, i) => from + i);
  const V = columns.length;
  const classOf = Int32Array.from(columns, (v) => Math.floor(v / P) + (isFull ? 0 : 1));
  const positionOf = Int32Array.from(columns, (v) => v % P);
  const byClass = k.permute(probabilities, [1, 0, 2]);
  const ofColumn = k.gatherRows(k.reshape(byClass, [1, C, N * P]), k.constant(classOf, [V]));
  const inputs = [
    probabilities,
    others,
    k.reshape(ofColumn, [V, N, 1, P]),
    k.constant(classOf, [V, 1, 1, 1]),
    k.constant(positionOf, [V, 1, 1, 1]),
    k.reshape(k.rows(byClass, 0, 1), [N, 1, P]),
  ];
  const [p, pj] = [input(0), input(2)];
  const [tau0, tauj] = [sqrt(input(5)), sqrt(pj)];
  const rest = complement(pj, input(1));
  const isOwn = equal(coordinate(2), input(3));
  const entry = isFull
    ? where(isOwn, mul(tauj, rest), neg(mul(p, tauj)))
    : where(
        isOwn,
        div(mul(tauj, add(tau0, rest)), add(1, tau0)),
        where(equal(coordinate(2), 0), neg(mul(tau0, tauj)), div(neg(mul(p, tauj)), add(1, tau0))),
      );
  return k.map(mul(scale, where(equal(coordinate(3), input(4)), entry, 0)), inputs, { shape: [V, N, C, P] });
}
