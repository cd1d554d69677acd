import { type HostArray, hash, philox, type StateDict, uniformOf } from '@gradpack/core';
import type { Problem } from './problem.js';

/** The same numbers for every implementation. */
export interface Data {
  /** [N, ...input] */
  readonly images: HostArray;
  /** [N] */
  readonly labels: HostArray;
  /** Labels for sampled quantities: [1, N] */
  readonly draws: HostArray;
  /** By PyTorch's names. */
  readonly weights: StateDict;
  /** What products are multiplied with, of the weights' shapes. */
  readonly vectors: StateDict;
}

export async function makeData({ name, input, classes, model }: Problem, N: number): Promise<Data> {
  const weights = await model().stateDict();
  const vectors = Object.entries(weights).map(
    ([parameter, { shape }]) => [parameter, uniform(shape, `${name} ${parameter}`)] as const,
  );
  return {
    images: uniform([N, ...input], `${name} images`),
    labels: classesOf([N], classes, `${name} labels`),
    draws: classesOf([1, N], classes, `${name} draws`),
    weights,
    vectors: Object.fromEntries(vectors),
  };
}

/** In (0, 1). */
function uniform(shape: readonly number[], purpose: string): HostArray {
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

function classesOf(shape: readonly number[], classes: number, purpose: string): HostArray {
  const { data } = uniform(shape, purpose);
  return { shape, data: Int32Array.from(data, (draw) => Math.floor(draw * classes)) };
}
