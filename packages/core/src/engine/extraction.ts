import { add, input } from '../backend/expression.js';
import type { Request } from '../backend/kernels.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import { samplesOf } from '../derivatives/factor.js';
import { pieces } from '../derivatives/range.js';
import { termColumns } from '../derivatives/term-columns.js';
import { columnsOfTerm, isCommonUse, type Term } from '../derivatives/use.js';
import { GradPackError } from '../errors/gradpack-error.js';
import type { Parameter } from '../module/parameter.js';
import type { AnyRule, FormedQuantity, Rule, RuleContext } from '../quantity/quantity.js';
import { type Reduction, reductionShape } from '../quantity/reduction.js';
import type { Source } from '../signal/source.js';
import { bytesPerElement } from '../tensor/dtype.js';
import { sizeOf } from '../tensor/shape.js';
import type { Graph } from './graph.js';
import type { Born } from './pass.js';

/** Bytes of G that a function of individual gradients is given at once. */
const INDIVIDUAL_BYTES = 64e6;

/** One quantity's results, filled while passes run. */
export interface Target {
  readonly quantity: Exclude<FormedQuantity, { readonly by: 'product' | 'derived' }>;
  /** Columns of its signal at the loss: V of its results' shapes. */
  readonly V: number;
  readonly results: Map<Parameter, unknown>;
  /** Parameters that are left out (`onMissing: 'skip'`). */
  readonly skips: ReadonlySet<Parameter>;
}

/** Turns what arrived at a parameter's uses into results. */
export class Extraction {
  readonly #graph: Graph;
  readonly #targetsOf: (source: Source) => readonly Target[];
  readonly #ruleOf: (quantity: FormedQuantity, term: Term) => AnyRule | undefined;
  readonly #memo = new Map<string, TensorRef>();
  readonly #samples = new Map<string, TensorRef>();
  readonly #ids = new Map<Parameter, number>();

  constructor(
    graph: Graph,
    targetsOf: (source: Source) => readonly Target[],
    ruleOf: (quantity: FormedQuantity, term: Term) => AnyRule | undefined,
  ) {
    this.#graph = graph;
    this.#targetsOf = targetsOf;
    this.#ruleOf = ruleOf;
  }

  extract = (parameter: Parameter, terms: readonly Term[], born: readonly Born[]): void => {
    const requests: Request[] = [];
    for (const piece of born) {
      if (piece.cross && piece.cross.parameter !== parameter) continue;
      for (const target of this.#targetsOf(piece.source)) {
        if (target.skips.has(parameter)) continue;
        const { quantity } = target;
        if (quantity.by === 'reduction') requests.push(this.#request(target, quantity.reduce, parameter, piece));
        else if (quantity.by === 'rules') this.#applyRule(target, parameter, terms, piece);
        else this.#compute(target, quantity, parameter, terms, piece);
      }
    }
    for (const round of withoutSharedResults(requests)) this.#graph.k.outer(terms, round);
  };

  /** Zeros for what no column reached: the output does not vary with the parameter. */
  finish(target: Target, parameters: readonly Parameter[]): void {
    const { quantity, results, skips, V } = target;
    if (quantity.by !== 'reduction') return;
    for (const parameter of parameters)
      if (!results.has(parameter) && !skips.has(parameter))
        results.set(
          parameter,
          this.#graph.k.full(reductionShape(quantity.reduce, V, this.#graph.N, parameter.shape), 0),
        );
  }

  #request(target: Target, reduce: Reduction, parameter: Parameter, piece: Born): Request {
    const { k, N } = this.#graph;
    const theta = sizeOf(parameter.shape);
    const isNew = !target.results.has(parameter);
    const shape = reductionShape(reduce, target.V, N, parameter.shape);
    const into = (isNew ? k.external(shape, k.precision, 'scratch') : target.results.get(parameter)) as TensorRef;
    target.results.set(parameter, into);
    const row = reduce.norm ? 1 : theta;
    const rows = reduce.samples?.length ?? N;
    const strides = {
      v: reduce.over === 'none' ? rows * row : reduce.over === 'samples' ? row : 0,
      n: reduce.over === 'none' || reduce.over === 'columns' ? row : 0,
    };
    const form = piece.cross
      ? 'cross'
      : reduce.centred
        ? 'centred'
        : reduce.norm
          ? 'norm'
          : reduce.square
            ? 'square'
            : 'plain';
    return {
      form,
      from: piece.at,
      to: piece.at + piece.to - piece.from,
      ...(piece.weight && { weight: piece.weight }),
      ...(piece.cross && { cross: piece.cross.terms }),
      ...(reduce.samples && { samples: this.#rows(reduce.samples) }),
      into: { ...into, offset: into.offset + piece.from * strides.v },
      strides,
      accumulate: strides.v === 0 && !isNew,
    };
  }

  #rows(samples: readonly number[]): TensorRef {
    const { N } = this.#graph;
    const beyond = samples.find((row) => row >= N);
    if (beyond !== undefined)
      throw new GradPackError('GRADPACK-OPTION', 'a row is asked for that the batch does not have', {
        where: 'net.backward',
        expected: `rows from 0 to ${N - 1}`,
        got: beyond,
        fix: 'choose rows for each batch by its size; the last one of an epoch may be smaller',
      });
    const key = samples.join(',');
    let rows = this.#samples.get(key);
    if (!rows) {
      rows = this.#graph.k.constant(Int32Array.from(samples), [samples.length]);
      this.#samples.set(key, rows);
    }
    return rows;
  }

  #applyRule(target: Target, parameter: Parameter, terms: readonly Term[], piece: Born): void {
    const [first] = terms;
    const rule = first && (this.#ruleOf(target.quantity, first) as Rule | undefined);
    if (!rule) return;
    const context = this.contextOf(parameter);
    const before = target.results.has(parameter)
      ? target.results.get(parameter)
      : rule.prepare?.(
          terms.map((term) => term.use),
          context,
        );
    const inPiece = terms.flatMap((term) => termColumns(term, piece.at, piece.at + piece.to - piece.from));
    target.results.set(parameter, rule.add(before, inPiece, context));
  }

  contextOf(parameter: Parameter): RuleContext {
    let id = this.#ids.get(parameter);
    if (id === undefined) {
      id = this.#ids.size;
      this.#ids.set(parameter, id);
    }
    const { k, N } = this.#graph;
    return {
      k,
      N,
      individual(terms) {
        const V = Math.max(0, ...terms.map(columnsOfTerm));
        const theta = sizeOf(parameter.shape);
        const into = k.external([V, N, ...parameter.shape], k.precision, 'scratch');
        const strides = { v: N * theta, n: theta };
        k.outer(terms, [{ form: 'plain', from: 0, to: V, into, strides, accumulate: false }]);
        return into;
      },
      once: (key, make) => {
        const whole = `${id}:${key}`;
        const made = this.#memo.get(whole) ?? make();
        this.#memo.set(whole, made);
        return made;
      },
    };
  }

  #compute(
    target: Target,
    quantity: Extract<FormedQuantity, { readonly by: 'individual' }>,
    parameter: Parameter,
    terms: readonly Term[],
    piece: Born,
  ): void {
    const { k, N } = this.#graph;
    const V = piece.to - piece.from;
    if (quantity.combine === 'concat' && V < piece.source.V)
      throw new GradPackError('GRADPACK-OUT-OF-MEMORY', `${quantity.name} needs all columns at once`, {
        where: 'net.backward',
        expected: `${piece.source.V} columns in one pass`,
        got: `chunks of ${V}`,
        fix: 'raise memoryLimit, use a smaller batch, or combine by sum',
      });
    const theta = sizeOf(parameter.shape);
    const size = Math.max(1, Math.floor(INDIVIDUAL_BYTES / (V * theta * bytesPerElement(k.precision))));
    const made: TensorRef[] = [];
    for (const samples of pieces(N, size)) {
      const n = samples.to - samples.from;
      const G = k.external([V, n, ...parameter.shape], k.precision, 'scratch');
      const cut = terms
        .flatMap((term) => termColumns(term, piece.at, piece.at + V))
        .map((term) => termSamples(term, samples.from, samples.to));
      k.outer(cut, [
        { form: 'plain', from: 0, to: V, into: G, strides: { v: n * theta, n: theta }, accumulate: false },
      ]);
      made.push(quantity.compute(G, k, { columns: piece, samples, N }));
    }
    const before = target.results.get(parameter) as TensorRef | undefined;
    const all = before ? [before, ...made] : made;
    target.results.set(
      parameter,
      quantity.combine === 'concat' ? k.concat(all, 0) : all.reduce((a, b) => k.map(add(input(0), input(1)), [a, b])),
    );
  }
}

/** Requests in as few calls as it takes for no two of a call to write to one result: those read different columns anyway. */
function withoutSharedResults(requests: readonly Request[]): readonly (readonly Request[])[] {
  const rounds: Request[][] = [];
  for (const request of requests) {
    const round = rounds.find((some) => some.every(({ into }) => into.buffer !== request.into.buffer));
    if (round) round.push(request);
    else rounds.push([request]);
  }
  return rounds;
}

function termSamples(term: Term, from: number, to: number): Term {
  const { use, a } = term;
  const N = a.N;
  const cut = samplesOf(a, from, to);
  if (!isCommonUse(use)) {
    const { blockOf } = use;
    return {
      use: {
        ...use,
        blockOf: (block, { columns, samples }, k) =>
          blockOf(block, { columns, samples: { from: from + samples.from, to: from + samples.to } }, k),
      },
      a: cut,
    };
  }
  if (use.kind === 'lookup') {
    const T = sizeOf(use.rows.shape) / N;
    return {
      use: { ...use, rows: { ...use.rows, shape: [to - from, T], offset: use.rows.offset + from * T } },
      a: cut,
    };
  }
  return { use: 'u' in use ? { ...use, u: samplesOf(use.u, from, to) } : use, a: cut };
}
