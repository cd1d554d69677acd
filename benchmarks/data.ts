import { type HostArray, hash, philox, uniformOf } from '@gradpack/core';
import type { Problem } from './problem.js';

export interface Floats extends HostArray {
  readonly data: Float32Array<ArrayBuffer>;
}

export interface Integers extends HostArray {
  readonly data: Int32Array<ArrayBuffer>;
}

/** By PyTorch's names. */
export type PerParameter = Readonly<Record<string, Floats>>;

/** The same numbers for every implementation. */
export interface Data extends Weights {
  /** [N, ...input] */
  readonly images: Floats;
  /** [N] */
  readonly labels: Integers;
  /** Labels for sampled quantities: [1, N] */
  readonly draws: Integers;
}

interface Weights {
  readonly weights: PerParameter;
  /** What products are multiplied with, of the weights' shapes. */
  readonly vectors: PerParameter;
}

export async function makeData(problem: Problem, N: number): Promise<Data> {
  const { name, input, classes } = problem;
  return {
    images: uniform([N, ...input], `${name} images`),
    labels: classesOf([N], classes, `${name} labels`),
    draws: classesOf([1, N], classes, `${name} draws`),
    ...(await weightsOf(problem)),
  };
}

const made = new WeakMap<Problem, Promise<Weights>>();

/** Seconds of work for a large network, so once for each problem. */
function weightsOf(problem: Problem): Promise<Weights> {
  const weights = made.get(problem) ?? makeWeights(problem);
  made.set(problem, weights);
  return weights;
}

async function makeWeights({ name, model }: Problem): Promise<Weights> {
  const initial = Object.entries(await model().stateDict());
  return {
    weights: Object.fromEntries(
      initial.map(([parameter, { shape, data }]) => [parameter, { shape, data: Float32Array.from(data) }]),
    ),
    vectors: Object.fromEntries(
      initial.map(([parameter, { shape }]) => [parameter, uniform(shape, `${name} ${parameter}`)]),
    ),
  };
}

/** In (0, 1). */
function uniform(shape: readonly number[], purpose: string): Floats {
  const data = new Float32Array(shape.reduce((product, extent) => product * extent, 1));
  for (let i = 0; i < data.length; i += 4)
    data.set(
      philox([i, 0, 0, 0], [0, hash(purpose)])
        .slice(0, data.length - i)
        .map(uniformOf),
      i,
    );
  return { shape, data };
}

function classesOf(shape: readonly number[], classes: number, purpose: string): Integers {
  const { data } = uniform(shape, purpose);
  return { shape, data: Int32Array.from(data, (draw) => Math.floor(draw * classes)) };
}
