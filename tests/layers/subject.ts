import {
  type Layer,
  type Linearization,
  type Mode,
  type Parameter,
  type Recorder,
  type Shape,
  sizeOf,
  type Tangents,
  type TensorRef,
  type Term,
  type Want,
} from '@gradpack/core';
import { evaluate, floats, ints, type Numbers } from './numbers.js';

/** A layer at a point: numbers for its inputs, parameters and buffers. */
export interface Subject {
  readonly layer: Layer;
  readonly mode: Mode;
  readonly inputs: readonly Numbers[];
  readonly state: ReadonlyMap<Parameter, Numbers>;
}

export interface Moves {
  /** [V, ...input] or [1, ...input] each; absent does not move. */
  readonly inputs: readonly (Numbers | undefined)[];
  /** [V, ...θ] each. */
  readonly parameters: ReadonlyMap<Parameter, Numbers>;
}

/** Columns at the inputs, and Σ_n G [V, ...θ] by parameter. */
export interface Arrived {
  readonly inputs: readonly (Numbers | undefined)[];
  readonly parameters: ReadonlyMap<Parameter, Numbers>;
}

const EVERYTHING = (inputs: number): Want => ({
  inputs: new Array<boolean>(inputs).fill(true),
  uses: [true, true, true],
});

export function stateOf(layer: Layer): readonly Parameter[] {
  return Object.values(layer).filter((x): x is Parameter => typeof x === 'object' && x !== null && '~state' in x);
}
export function trainableOf(layer: Layer): readonly Parameter[] {
  return stateOf(layer).filter(({ trainable }) => trainable);
}

export function outputsOf(subject: Subject): readonly Numbers[] {
  return linearized(subject, ({ outputs }) => outputs) as readonly Numbers[];
}

export function push(subject: Subject, moves: Moves): readonly (Numbers | undefined)[] {
  return linearized(subject, ({ push }, _k, put) =>
    (push as NonNullable<typeof push>)(
      moves.inputs.map((x) => x && put(x)),
      tangents(moves, put),
    ),
  );
}

export function pull(
  subject: Subject,
  columns: readonly (Numbers | undefined)[],
  want: Want = EVERYTHING(subject.inputs.length),
): Arrived {
  return arrived(subject, ({ pull }, put) =>
    pull(
      columns.map((x) => x && put(x)),
      want,
    ),
  );
}

export function pullTangent(
  subject: Subject,
  gradient: readonly Numbers[],
  moves: Moves,
  want: Want = EVERYTHING(subject.inputs.length),
): Arrived {
  return arrived(subject, ({ pullTangent }, put) => {
    if (!pullTangent) return { inputs: [], terms: [] };
    return pullTangent(
      gradient.map(put),
      moves.inputs.map((x) => x && put(x)),
      tangents(moves, put),
      want,
    );
  });
}

/** Asks a linearization that was recorded at the subject's point. */
export function linearized<const Results extends readonly (TensorRef | undefined)[]>(
  { layer, mode, inputs, state }: Subject,
  ask: (linearization: Linearization, k: Recorder, put: (x: Numbers) => TensorRef) => Results,
): readonly (Numbers | undefined)[] {
  return evaluate((k, put) => {
    const run = put(ints([2], [7, 3]));
    const linearization = layer.linearize(inputs.map(put), k, {
      mode,
      valueOf: (parameter) => put(state.get(parameter) as Numbers),
      stream: { run, stream: 5 },
      scalars: (layer.scalars ?? []).map((value) => put(floats([1], [value]))),
    });
    return ask(linearization, k, put);
  });
}

function tangents(moves: Moves, put: (x: Numbers) => TensorRef): Tangents {
  return new Map(Array.from(moves.parameters, ([parameter, x]) => [parameter, put(x)]));
}

function arrived(
  subject: Subject,
  ask: (
    linearization: Linearization,
    put: (x: Numbers) => TensorRef,
  ) => { readonly inputs: readonly (TensorRef | undefined)[]; readonly terms: readonly Term[] },
): Arrived {
  const parameters = trainableOf(subject.layer);
  const results = linearized(subject, (linearization, k, put) => {
    const { inputs, terms } = ask(linearization, put);
    const sums = parameters.map((parameter) =>
      sumOf(
        terms.filter(({ use }) => use.parameter === parameter),
        parameter.shape,
        k,
      ),
    );
    return [...subject.inputs.map((_, i) => inputs[i]), ...sums];
  });
  const count = subject.inputs.length;
  return {
    inputs: results.slice(0, count),
    parameters: new Map(
      parameters.flatMap((parameter, i) =>
        results[count + i] ? [[parameter, results[count + i] as Numbers] as const] : [],
      ),
    ),
  };
}

function sumOf(terms: readonly Term[], shape: Shape, k: Recorder): TensorRef | undefined {
  if (terms.length === 0) return undefined;
  const V = Math.max(...terms.map(({ use, a }) => ('u' in use ? Math.max(a.V, use.u.V) : a.V)));
  const into = k.full([V, ...shape], 0);
  k.outer(terms, [{ form: 'plain', from: 0, to: V, into, strides: { v: sizeOf(shape), n: 0 }, accumulate: true }]);
  return into;
}
