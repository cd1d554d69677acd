import type { HostArray } from '@gradpack/core';

export interface SamplingOptions {
  /** Labels drawn per sample and position, BackPACK's `mc_samples`; 1 by default. */
  readonly samples?: number;
  /** With a seed the same labels are drawn in every step; by default the net's randomness, new in each step. */
  readonly seed?: number;
  /** Labels in place of drawn ones, to reproduce a result: class indices [M, N, ...positions] for cross-entropy, standard normals [M, N, ...features] for MSE. */
  readonly labels?: HostArray;
}

/** One sample unless said otherwise. */
export function sampling({ samples = 1, seed, labels }: SamplingOptions = {}): {
  samples: number;
  seed: number | undefined;
  labels: HostArray | undefined;
} {
  return { samples, seed, labels };
}
