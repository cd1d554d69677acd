import type { Data } from './data.js';
import type { Problem } from './problem.js';
import type { QuantityName } from './quantities.js';

/** Something that computes quantities of problems. */
export interface Implementation {
  /** As in the results: `gradpack/native`. */
  readonly name: string;
  readonly threads: number;
  /** Why it cannot run here. */
  readonly missing?: string;
  /** Makes everything ready for steps; undefined where it has no such quantity. */
  prepare(problem: Problem, quantity: QuantityName, data: Data): Promise<Subject | undefined>;
}

/** One quantity of one problem in one implementation. */
export interface Subject {
  /** One step until it is computed, without reading the results. */
  step(): Promise<void>;
  /** All results of a step by name, to compare implementations. */
  results(): Promise<ReadonlyMap<string, ArrayLike<number>>>;
  /** The most bytes that were taken so far. */
  peakBytes(): number;
  dispose(): Promise<void>;
}
