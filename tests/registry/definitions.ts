import type { HostArray } from '@gradpack/core';
import type { SpecArray } from '@gradpack/testkit';
import type { NetSlopes, ParameterSlopes, Slopes, Subject } from './slopes.js';

export interface Factors {
  readonly output: SpecArray;
}
type PerParameter<Value = SpecArray> = Readonly<Record<string, Value>>;

/** Columns at the output, [N · D] each. */
type Columns = readonly Float64Array[];

const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0);

/** Every quantity by its definition, from the slopes of a net's outputs. `labels`: [M, N] classes, or normals [M, N, D]. */
export function definitions(
  subject: Subject,
  net: NetSlopes,
  labels: HostArray,
): Readonly<Record<string, PerParameter | PerParameter<Factors>>> {
  const { N, D, parameters, along } = net;
  const { residual, hessian, exact, sampled } = atLoss(subject, net, labels);
  const samples = [...Array(N).keys()];
  const dot = (n: number, a: Float64Array, b: Float64Array): number =>
    a.subarray(n * D, (n + 1) * D).reduce((total, x, d) => total + x * b[n * D + d]!, 0);
  const g = (n: number, { first }: Slopes): number => dot(n, residual, first);
  const G = (column: Float64Array, n: number, { first }: Slopes): number => dot(n, column, first);
  const ggn = (n: number, a: Slopes, b: Slopes): number => dot(n, a.first, hessian(b.first));
  const curvature = (n: number, s: Slopes): number => ggn(n, s, s) + dot(n, residual, s.second);
  const squares = (columns: Columns, n: number, s: Slopes): number => sum(columns.map((c) => G(c, n, s) ** 2));

  const perParameter = <Value>(value: (p: ParameterSlopes) => Value): PerParameter<Value> =>
    Object.fromEntries(parameters.map((p) => [p.name, value(p)]));
  /** [...θ]: the sum over the samples; [N, ...θ]: each sample's. */
  const summed = (value: (n: number, s: Slopes) => number): PerParameter =>
    perParameter(({ shape, entries }) => ({ shape, data: entries.map((s) => sum(samples.map((n) => value(n, s)))) }));
  const each = (value: (n: number, s: Slopes) => number): PerParameter =>
    perParameter(({ shape, entries }) => ({
      shape: [N, ...shape],
      data: samples.flatMap((n) => entries.map((s) => value(n, s))),
    }));
  const root = (columns: Columns): PerParameter =>
    perParameter(({ shape, entries }) => ({
      shape: [columns.length, N, ...shape],
      data: columns.flatMap((c) => samples.flatMap((n) => entries.map((s) => G(c, n, s)))),
    }));
  /** Of one-axis parameters, and of matrices beside a bias, where the same columns arrive. */
  const kronecker = (columns: Columns): PerParameter<Factors> =>
    Object.fromEntries(
      parameters.flatMap(({ name, shape }) => {
        const at = shape.length === 1 ? name : name.replace(/weight$/, 'bias');
        const entries = parameters.find((p) => p.name === at && p.shape.length === 1)?.entries;
        if (!entries) return [];
        const product = (a: Slopes, b: Slopes): number =>
          sum(columns.flatMap((c) => samples.map((n) => G(c, n, a) * G(c, n, b))));
        const data = entries.flatMap((a) => entries.map((b) => product(a, b)));
        return [[name, { output: { shape: [entries.length, entries.length], data } }] as const];
      }),
    );

  return {
    gradient: summed(g),
    batchGrad: each(g),
    batchL2Grad: perParameter(({ entries }) => ({
      shape: [N],
      data: samples.map((n) => sum(entries.map((s) => g(n, s) ** 2))),
    })),
    sumGradSquared: summed((n, s) => g(n, s) ** 2),
    variance: summed((n, s) => (g(n, s) - sum(samples.map((m) => g(m, s))) / N) ** 2 / N),
    'acme/thirdMoment': summed((n, s) => g(n, s) ** 3),
    diagGGNExact: summed((n, s) => ggn(n, s, s)),
    batchDiagGGNExact: each((n, s) => ggn(n, s, s)),
    sqrtGGNExact: root(exact),
    diagGGNMC: summed((n, s) => squares(sampled, n, s)),
    batchDiagGGNMC: each((n, s) => squares(sampled, n, s)),
    sqrtGGNMC: root(sampled),
    kfac: kronecker(sampled),
    kflr: kronecker(exact),
    diagHessian: summed(curvature),
    batchDiagHessian: each(curvature),
    ggnVectorProduct: summed((n, s) => ggn(n, s, along)),
    hessianVectorProduct: perParameter(({ shape, entries, mixed }) => ({
      shape,
      data: entries.map((s, i) => sum(samples.map((n) => ggn(n, s, along) + dot(n, residual, mixed[i]!)))),
    })),
  };
}

interface AtLoss {
  readonly residual: Float64Array;
  hessian(tangent: Float64Array): Float64Array;
  readonly exact: Columns;
  readonly sampled: Columns;
}

/** The loss, reduction 'mean', at the outputs: 2/K of squared errors, or softmax. */
function atLoss({ loss, target }: Subject, { N, D, outputs }: NetSlopes, labels: HostArray): AtLoss {
  const M = labels.shape[0]!;
  const column = (value: (n: number, d: number) => number): Float64Array =>
    Float64Array.from({ length: N * D }, (_, i) => value(Math.floor(i / D), i % D));
  const units = [...Array(D).keys()];
  const draws = [...Array(M).keys()];
  if (loss === 'mse') {
    const K = N * D;
    return {
      residual: outputs.map((f, i) => (2 / K) * (f - target.data[i]!)),
      hessian: (tangent) => tangent.map((x) => (2 / K) * x),
      exact: units.map((v) => column((_, d) => (v === d ? Math.sqrt(2 / K) : 0))),
      sampled: draws.map((m) => column((n, d) => Math.sqrt(2 / (M * K)) * labels.data[(m * N + n) * D + d]!)),
    };
  }
  const exponentials = outputs.map(Math.exp);
  const p = column((n, d) => exponentials[n * D + d]! / sum([...exponentials.subarray(n * D, (n + 1) * D)]));
  const is = (a: number | undefined, b: number): number => (a === b ? 1 : 0);
  const P = (n: number, d: number): number => p[n * D + d]!;
  return {
    residual: column((n, d) => (P(n, d) - is(target.data[n], d)) / N),
    hessian: (tangent) =>
      column((n, d) => (P(n, d) * (tangent[n * D + d]! - sum(units.map((c) => P(n, c) * tangent[n * D + c]!)))) / N),
    exact: units.map((c) =>
      column((n, d) => (Math.sqrt(P(n, d)) * (is(c, d) - Math.sqrt(P(n, c) * P(n, d)))) / Math.sqrt(N)),
    ),
    sampled: draws.map((m) => column((n, d) => (P(n, d) - is(labels.data[m * N + n], d)) / Math.sqrt(M * N))),
  };
}
