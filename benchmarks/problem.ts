import type { Module } from '@gradpack/core';

/** A network with random data; the loss is the mean cross-entropy. */
export interface Problem {
  readonly name: string;
  readonly description: string;
  /** Batch size. */
  readonly batch: number;
  /** Smaller batches for quantities whose result would not fit. */
  readonly batches?: Readonly<Record<string, number>>;
  /** Shape of one input. */
  readonly input: readonly number[];
  readonly classes: number;
  model(): Module;
}

export function batchSize({ batch, batches }: Problem, quantity: string): number {
  return batches?.[quantity] ?? batch;
}
