import type { Parameter, Traits } from '@gradpack/core';
import { describe, expect, test } from 'vitest';
import { LAYER_CASES, type LayerCase } from './cases.js';
import { column, difference, drawing, inner, moved, type Numbers } from './numbers.js';
import {
  type Arrived,
  linearized,
  type Moves,
  outputsOf,
  pull,
  pullTangent,
  push,
  type Subject,
  stateOf,
  trainableOf,
} from './subject.js';

const V = 2;
const STEP = 1e-5;

function subjectOf({ layer, inputs, mode = 'eval', bound }: LayerCase, seed = 1): Subject {
  const draw = drawing(seed);
  return {
    layer,
    mode,
    inputs: inputs.map((shape) => (bound === undefined ? draw.floats(shape, -2, 2) : draw.ints(shape, bound))),
    // above 0, since a variance is among them
    state: new Map(stateOf(layer).map((parameter) => [parameter, draw.floats(parameter.shape, 0.2, 1.5)])),
  };
}

/** Directions for the float inputs and the parameters. */
function movesOf({ layer, inputs }: Subject, skip?: number, columns = V): Moves {
  const draw = drawing(2);
  const parameters = new Map<Parameter, Numbers>();
  for (const parameter of trainableOf(layer)) {
    const direction = draw.floats([columns, ...parameter.shape]);
    const [rows = 1, row = 1] = parameter.shape;
    for (let v = 0; v < columns && skip !== undefined; v++)
      direction.data.fill(0, (v * rows + skip) * row, (v * rows + skip + 1) * row);
    parameters.set(parameter, direction);
  }
  return {
    inputs: inputs.map(({ shape, data }) =>
      data instanceof Int32Array ? undefined : draw.floats([columns, ...shape]),
    ),
    parameters,
  };
}

function columnsOf(subject: Subject, columns = V): Numbers[] {
  const draw = drawing(3);
  return outputsOf(subject).map(({ shape }) => draw.floats([columns, ...shape]));
}

/** The subject moved along column v of the directions. */
function along({ inputs, state, ...rest }: Subject, moves: Moves, step: number, v: number): Subject {
  return {
    ...rest,
    inputs: inputs.map((x, i) => (moves.inputs[i] ? moved(x, moves.inputs[i], step, v) : x)),
    state: new Map(
      Array.from(state, ([parameter, x]) => [
        parameter,
        moves.parameters.has(parameter) ? moved(x, moves.parameters.get(parameter), step, v) : x,
      ]),
    ),
  };
}

/** Central differences of what `of` gives, along column v. */
function slope(
  subject: Subject,
  moves: Moves,
  v: number,
  of: (at: Subject) => Numbers | undefined,
): Numbers | undefined {
  const [above, below] = [of(along(subject, moves, STEP, v)), of(along(subject, moves, -STEP, v))];
  return (
    above &&
    below && {
      shape: above.shape,
      data: Float64Array.from(above.data, (x, i) => (x - (below.data[i] as number)) / (2 * STEP)),
    }
  );
}

function expectArrived(
  got: Arrived,
  v: number,
  expectedInputs: (i: number) => Numbers | undefined,
  expectedParameter: (p: Parameter) => Numbers | undefined,
  subject: Subject,
): void {
  subject.inputs.forEach((_, i) => {
    const columns = got.inputs[i];
    expect(difference(columns && column(columns, v), expectedInputs(i))).toBeLessThan(1e-8);
  });
  for (const parameter of trainableOf(subject.layer)) {
    const G = got.parameters.get(parameter);
    expect(difference(G && column(G, v), expectedParameter(parameter))).toBeLessThan(1e-8);
  }
}

describe.each(LAYER_CASES)('$name', (example) => {
  const subject = subjectOf(example);
  const moves = movesOf(subject, example.skip);
  const columns = columnsOf(subject);

  test('gives the shapes it promised', () => {
    expect(outputsOf(subject).map(({ shape }) => shape)).toEqual(example.layer.outputShapes(...example.inputs));
  });

  test('push is the slope of the output', () => {
    const [pushed] = push(subject, moves);
    for (let v = 0; v < V; v++) {
      const measured = slope(subject, moves, v, (at) => outputsOf(at)[0]);
      expect(difference(pushed && column(pushed, v), measured)).toBeLessThan(1e-8);
    }
  });

  test('pull is the adjoint of push', () => {
    // in all directions, also those of a row that is not trained: it moves on neither side
    const moves = movesOf(subject);
    const [pushed] = push(subject, moves);
    const arrived = pull(subject, columns);
    for (let v = 0; v < V; v++) {
      const right = moves.inputs.reduce((sum, move, i) => sum + inner(arrived.inputs[i], move, v), 0);
      const sums = Array.from(moves.parameters, ([parameter, move]) =>
        inner(arrived.parameters.get(parameter), move, v),
      );
      expect(sums.reduce((sum, x) => sum + x, right)).toBeCloseTo(inner(columns[0], pushed, v), 9);
    }
  });

  test('pullTangent is the slope of pull', () => {
    const [delta] = columnsOf(subject, 1) as [Numbers];
    const got = pullTangent(subject, [delta], moves);
    for (let v = 0; v < V; v++) {
      const slopeOf = (pick: (arrived: Arrived) => Numbers | undefined): Numbers | undefined => {
        const measured = slope(subject, moves, v, (at) => pick(pull(at, [delta])));
        return measured && column(measured, 0);
      };
      expectArrived(
        got,
        v,
        (i) => slopeOf(({ inputs }) => inputs[i]),
        (parameter) => slopeOf(({ parameters }) => parameters.get(parameter)),
        subject,
      );
    }
  });

  test('directions with one column stand for all columns', () => {
    const [one] = moves.inputs.map((x) => x && { shape: [1, ...x.shape.slice(1)], data: column(x, 0).data });
    if (!one || moves.parameters.size === 0) return;
    const tiled = { shape: [V, ...one.shape.slice(1)], data: Float64Array.from([...one.data, ...one.data]) };
    const [short, long] = [
      { ...moves, inputs: [one] },
      { ...moves, inputs: [tiled] },
    ];
    expect(difference(push(subject, short)[0], push(subject, long)[0])).toBeLessThan(1e-14);
  });

  test('what is not wanted or does not move is left out', () => {
    const nothing = { inputs: example.inputs.map(() => false), uses: [false, false, false] };
    const still: Moves = { inputs: example.inputs.map(() => undefined), parameters: new Map() };
    for (const arrived of [
      pull(subject, columns, nothing),
      pull(subject, [undefined]),
      pullTangent(subject, columns, still),
      pullTangent(subject, columns, moves, nothing),
    ]) {
      expect(arrived.inputs.every((x) => x === undefined)).toBe(true);
      expect(arrived.parameters.size).toBe(0);
    }
    expect(push(subject, still)).toEqual([undefined]);
  });

  test('layers without parameters say by a key when they are equal', () => {
    expect(example.layer.key === undefined).toBe(stateOf(example.layer).length > 0);
  });
});

const withTrait = (has: (traits: Traits) => boolean): readonly LayerCase[] =>
  LAYER_CASES.filter(({ layer, bound, mode = 'eval' }) => bound === undefined && has(layer.traits(mode)));

test.each(withTrait(({ curvature }) => curvature === 'elementwise'))(
  'residual of $name is the diagonal of pullTangent',
  (example) => {
    const subject = subjectOf(example);
    const [delta] = columnsOf(subject, 1) as [Numbers];
    const [residual] = linearized(subject, ({ residual }, _k, put) => [
      (residual as NonNullable<typeof residual>)(put(delta)),
    ]) as [Numbers];
    const ones = { shape: [1, ...(example.inputs[0] ?? [])], data: new Float64Array(residual.data.length).fill(1) };
    expect(residual.shape).toEqual(ones.shape);
    expect(
      difference(residual, pullTangent(subject, [delta], { inputs: [ones], parameters: new Map() }).inputs[0]),
    ).toBeLessThan(1e-14);
  },
);

test.each(withTrait(({ sampleFree }) => sampleFree))('pull of $name takes any number of samples', (example) => {
  const subject = subjectOf(example);
  const columns = columnsOf(subject);
  const first = (x: Numbers, v: number): Numbers => column(column(x, v), 0);
  const some = columns.map((x) => ({
    shape: [V, 1, ...x.shape.slice(2)],
    data: Float64Array.from([...first(x, 0).data, ...first(x, 1).data]),
  }));
  const onlyInputs = { inputs: example.inputs.map(() => true), uses: [false, false] };
  const [all, alone] = [pull(subject, columns, onlyInputs), pull(subject, some, onlyInputs)];
  alone.inputs.forEach((x, i) => {
    for (let v = 0; v < V; v++)
      expect(difference(first(x as Numbers, v), first(all.inputs[i] as Numbers, v))).toBeLessThan(1e-14);
  });
});
