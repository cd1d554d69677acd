import type { FactorSpec, TypedArray } from '@gradpack/core';
import { sizeOf } from '@gradpack/core';
import { operand, type Place } from './place.js';
import { unfold } from './unfold.js';

/** One sample of a factor, for all its groups: entry (g, f, t) is `data[at + g·g + f·f + t·t]`. */
export interface FactorSample {
  readonly data: TypedArray;
  readonly at: number;
  readonly g: number;
  readonly f: number;
  readonly t: number;
}

/** Gives samples of a factor; unfolded ones are written out once a sample and kept until the next. */
export type FactorReader = (v: number, n: number) => FactorSample;

export function factorReader(factor: FactorSpec, reads: readonly Place[]): FactorReader {
  const { data, at } = operand(reads, factor.read);
  if (factor.form === 'dense') {
    const { v: sv, n: sn, g, f, t } = factor.strides;
    return (v, n) => ({ data, at: at + v * sv + n * sn, g, f, t });
  }
  const { G, F, T, V, window, strides } = factor;
  const size = G * F * T;
  // one place for each column, so that a loop over columns inside a loop over tiles unfolds nothing twice
  const unfolded = new Float64Array(V * size);
  const holds = new Int32Array(V).fill(-1);
  const channels = F / sizeOf(window.kernel);
  return (v, n) => {
    if (holds[v] !== n) {
      holds[v] = n;
      for (let g = 0; g < G; g++) {
        const from = at + v * strides.v + n * strides.n + g * strides.g;
        unfold(window, channels, data, from, strides.c, 0, T, unfolded, v * size + g * F * T, T);
      }
    }
    return { data: unfolded, at: v * size, g: F * T, f: T, t: 1 };
  };
}

/** Writes `weight · factor` at positions [t0, t1) of a group into rows of a tile: `to[at + f·row + t − t0] (+)= …`. */
export function writeFactor(
  { data, at, g, f, t }: FactorSample,
  group: number,
  F: number,
  t0: number,
  t1: number,
  weight: number,
  to: Float64Array,
  toAt: number,
  row: number,
  accumulate: boolean,
): void {
  for (let i = 0; i < F; i++) {
    let source = at + group * g + i * f + t0 * t;
    let target = toAt + i * row;
    for (let j = t0; j < t1; j++, source += t, target++) {
      const value = weight * (data[source] as number);
      to[target] = accumulate ? (to[target] as number) + value : value;
    }
  }
}
