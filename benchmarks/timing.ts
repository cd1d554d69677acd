import type { Subject } from './implementation.js';

export interface Timing {
  readonly medianMs: number;
  readonly minMs: number;
  /** Number of steps that were timed. */
  readonly steps: number;
}

export interface TimingOptions {
  /** Seconds for all subjects together; at least three rounds are made. */
  readonly seconds: number;
}

const MIN_ROUNDS = 3;
const MAX_ROUNDS = 50;
/** In its turn a fast subject makes several steps. */
const TURN_MS = 30;

/** Times the subjects in turns, A B A B, so that what else happens on the machine meets all of them. */
export async function timeInterleaved(
  subjects: readonly Subject[],
  { seconds }: TimingOptions,
): Promise<ReadonlyMap<Subject, Timing>> {
  const times = new Map(subjects.map((subject) => [subject, [] as number[]]));
  for (const subject of subjects) await subject.step(); // plans are made in the first one
  const end = performance.now() + 1000 * seconds;
  for (let round = 0; round < MIN_ROUNDS || (round < MAX_ROUNDS && performance.now() < end); round++)
    for (const [subject, own] of times)
      for (let turn = 0; turn < TURN_MS; ) {
        const start = performance.now();
        await subject.step();
        const elapsed = performance.now() - start;
        own.push(elapsed);
        turn += elapsed;
      }
  return new Map(
    [...times].map(([subject, own]) => [
      subject,
      { medianMs: median(own), minMs: Math.min(...own), steps: own.length },
    ]),
  );
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}
