import {
  exactFactor,
  type Factor,
  featuresLast,
  type LookupUse,
  type MatrixUse,
  type Quantity,
  type QuantityKind,
  quantity,
  type Recorded,
  type Rule,
  type RuleContext,
  type RulesOf,
  type ScaleUse,
  type ShiftUse,
  sampledFactor,
  type Tensor,
  type TensorRef,
  type Term,
} from '@gradpack/core';
import { type SamplingOptions, sampling } from './sampling-options.js';

/**
 * `output ⊗ input` approximates the parameter's own block of the Gauss-Newton matrix (row-major, output first).
 *
 * | use | output | input |
 * |---|---|---|
 * | matrix [O, I]; G groups | [O, O]; [G, O, O] | [I, I]; [G, I, I] |
 * | shift | [C, C] | – |
 * | scale | [C, C] | – |
 * | lookup [words, H] | [H, H] | [words], a diagonal |
 */
export interface KroneckerFactors {
  readonly output: Tensor;
  readonly input?: Tensor;
}

type RecordedFactors = Recorded<KroneckerFactors>;
type KroneckerKinds = 'matrix' | 'shift' | 'scale' | 'lookup';

export type KFAC = Quantity<'kfac', KroneckerFactors, KroneckerKinds, 'columns'>;
export type KFLR = Quantity<'kflr', KroneckerFactors, KroneckerKinds, 'columns'>;

/** [1, F, F] without its group axis. */
function ungrouped(B: TensorRef, { k }: RuleContext): TensorRef {
  const [G, ...rest] = B.shape;
  return G === 1 ? k.reshape(B, rest) : B;
}

const columnsAt = (term: Term): Factor => term.a;

/** `Σ_{v,n} (Σ_t a)(Σ_t a)ᵀ` with the columns of all factors, added to `before`. */
function columnGram(factors: readonly Factor[], before: TensorRef | undefined, context: RuleContext): TensorRef {
  const { k } = context;
  const [first] = factors;
  if (!before || !first) return ungrouped(k.gram(factors, 'sum'), context);
  const into = k.reshape(before, [first.G, first.F, first.F]);
  k.gram(factors, 'sum', { into });
  return before;
}

/** `(1/N) Σ_{n,t} u uᵀ`, tied uses one after the other along t; made once per parameter and step, whoever asks. */
const matrixRule: Rule<RecordedFactors, MatrixUse> = {
  add(before, terms, context) {
    const input =
      before?.input ??
      context.once('inputGram', () =>
        ungrouped(
          context.k.gram(
            terms.map((term) => term.use.u),
            'each',
            { scale: 1 / context.N },
          ),
          context,
        ),
      );
    return { output: columnGram(terms.map(columnsAt), before?.output, context), input };
  },
};

const shiftRule: Rule<RecordedFactors, ShiftUse> = {
  add: (before, terms, context) => ({ output: columnGram(terms.map(columnsAt), before?.output, context) }),
};

/** One factor `Σ_{v,n} G Gᵀ` from G [V, N, C] itself. */
const scaleRule: Rule<RecordedFactors, ScaleUse> = {
  add(before, terms, context) {
    const G = context.individual(terms);
    return { output: columnGram([featuresLast(G, G.shape.at(-1) as number)], before?.output, context) };
  },
};

/** The input factor is diagonal: how often each word was read, over N. */
const lookupRule: Rule<RecordedFactors, LookupUse> = {
  add(before, terms, context) {
    const { k, N } = context;
    const input =
      before?.input ??
      context.once('lookupCounts', () => {
        const [first] = terms;
        const words = first?.use.parameter.shape[0] ?? 1;
        const counts = k.full([words, 1], 0);
        const one = k.full([1], 1 / N);
        const ones = terms.map(
          ({ use, a }): Term => ({
            use: { ...use, parameter: { ...use.parameter, shape: [words, 1] } },
            a: { form: 'dense', tensor: one, V: 1, N, G: 1, F: 1, T: a.T, strides: { v: 0, n: 0, g: 0, f: 0, t: 0 } },
          }),
        );
        k.outer(ones, [{ form: 'plain', from: 0, to: 1, into: counts, strides: { v: 0, n: 0 }, accumulate: true }]);
        return k.reshape(counts, [words]);
      });
    return { output: columnGram(terms.map(withoutSkipped(context)).map(columnsAt), before?.output, context), input };
  },
};

/** Positions whose row is never trained do not count. */
function withoutSkipped({ k }: RuleContext): (term: Term<LookupUse>) => Term {
  return (term) => {
    const { use, a } = term;
    if (use.skip === undefined || a.form !== 'dense') return term;
    // the columns at [V, N, T, H], zero where the id is skipped
    const dense = k.gatherStrided(a.tensor, [a.V, a.N, a.T, a.F], [a.strides.v, a.strides.n, a.strides.t, a.strides.f]);
    const kept = k.map(keep(use.skip), [dense, k.reshape(use.rows, [1, a.N, a.T, 1])]);
    return { use, a: featuresLast(kept, a.F) };
  };
}

const keep = (skip: number): Parameters<RuleContext['k']['map']>[0] => ({
  op: 'where',
  condition: { op: 'equal', a: { op: 'input', index: 1 }, b: { op: 'constant', value: skip } },
  a: { op: 'constant', value: 0 },
  b: { op: 'input', index: 0 },
});

const kroneckerRules: RulesOf<KFAC> = { matrix: matrixRule, shift: shiftRule, scale: scaleRule, lookup: lookupRule };

/**
 * Kronecker-factored approximate curvature from sampled labels (Martens & Grosse 2015; convolutions: Grosse & Martens 2016 in BackPACK's
 * form). With S the columns of the sampled factor, which carry 1/√(M K):
 * `output = Σ_{m,n} (Σ_t S)(Σ_t S)ᵀ`, `input = (1/N) Σ_{n,t} u uᵀ`.
 *
 * Refused for a parameter that is used in two kinds or views (GRADPACK-UNSUPPORTED-PAIR).
 *
 * @example
 * const step = await net.backward(x, y, { curvature: kfac({ samples: 1 }) });
 * const { output, input } = step.curvature.get('0.weight');
 */
export const kfac: QuantityKind<KFAC, [options?: SamplingOptions]> = /* @__PURE__ */ quantity(
  'kfac',
  (options: SamplingOptions = {}) => ({
    by: 'rules',
    signal: sampledFactor(sampling(options)),
    rules: kroneckerRules,
  }),
);

/** The same with the exact factor of the loss Hessian in place of samples (Botev et al. 2017). Costs C − 1 columns for C classes. */
export const kflr: QuantityKind<KFLR> = /* @__PURE__ */ quantity('kflr', () => ({
  by: 'rules',
  signal: exactFactor(),
  rules: kroneckerRules,
}));
