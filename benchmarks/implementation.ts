import type { Data } from './data.js';
import type { Problem } from './problem.js';
import type { QuantityName } from './quantities.js';

/** Something that computes quantities of problems. */
export interface Implementation {
  /** As in the results: `gradpack/native`. */
  readonly name: string;
  readonly threads: number;
  /** Of a peer. */
  version?(): Promise<string>;
  /** Why it cannot run here, and what to do. */
  readonly missing?: string;
  /** Seconds that a step may be expected to take; slower ones are left out. Only the user's limit when absent. */
  readonly limit?: number;
  /** Whose gradient alone the quantities are compared with; its own when absent. */
  readonly baseline?: Implementation;
  /** Of the largest entry of a result, for quantities that it rounds more than others. */
  readonly tolerances?: Readonly<Partial<Record<QuantityName, number>>>;
  /** Whoever computes there wants the results as typed arrays: where it takes part, all that can are timed with reading too. */
  readonly timesReading?: boolean;
  /** Makes everything ready for steps; undefined where it has no such quantity or problem. */
  prepare(problem: Problem, quantity: QuantityName, data: Data): Promise<Subject | undefined>;
  /** When all is measured. */
  close?(): Promise<void>;
}

/** One quantity of one problem in one implementation. */
export interface Subject {
  /** Steps for so many milliseconds, at least one, and how many each took until it was computed, its results not read. */
  turn(milliseconds: number): Promise<readonly number[]>;
  /** The same, each with all its results read into typed arrays; absent outside JavaScript. */
  readingTurn?(milliseconds: number): Promise<readonly number[]>;
  /** All results of a step by name, to compare implementations. */
  results(): Promise<Arrays>;
  /** The most bytes that a step takes; undefined where nobody knows. */
  peakBytes(): Promise<number | undefined>;
  dispose(): Promise<void>;
}

export type Arrays = ReadonlyMap<string, ArrayLike<number>>;
