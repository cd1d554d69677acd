import { setTimeout } from 'node:timers/promises';

export interface Timing {
  readonly medianMs: number;
  readonly minMs: number;
  /** Number of steps that were timed. */
  readonly steps: number;
}

export interface TimingOptions {
  /** Seconds for all together; at least three rounds are made. */
  readonly seconds: number;
}

/** Steps for so many milliseconds, at least one; how many each took. */
export type Turn = (milliseconds: number) => Promise<readonly number[]>;

const MIN_ROUNDS = 3;
const MAX_ROUNDS = 50;
/** In its turn a fast step is made several times. */
const TURN_MS = 30;
/** After a step the threads of OpenMP spin for some milliseconds, in case there is more to do. */
const REST_MS = 10;

/** Times them in turns, A B A B, so that what else happens on the machine meets all of them. They are warm already. */
export async function timeInterleaved(
  turns: readonly Turn[],
  { seconds }: TimingOptions,
): Promise<ReadonlyMap<Turn, Timing>> {
  const times = new Map(turns.map((turn) => [turn, [] as number[]]));
  const end = performance.now() + 1000 * seconds;
  for (let round = 0; round < MIN_ROUNDS || (round < MAX_ROUNDS && performance.now() < end); round++)
    for (const [turn, own] of times) {
      own.push(...(await turn(TURN_MS)));
      await setTimeout(REST_MS);
    }
  return new Map(
    [...times].map(([turn, own]) => [turn, { medianMs: median(own), minMs: Math.min(...own), steps: own.length }]),
  );
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}
