import { disagreement } from './agreement.js';
import { makeData } from './data.js';
import type { Arrays, Implementation, Subject } from './implementation.js';
import { expectedGradients, fits } from './limits.js';
import { batchSize, type Problem } from './problem.js';
import type { QuantityName } from './quantities.js';
import type { Row } from './results.js';
import { Subjects } from './subjects.js';
import { type Timing, type TimingOptions, type Turn, timeInterleaved } from './timing.js';

export interface MeasureOptions extends TimingOptions {
  /** Seconds; implementations whose step is expected to take longer are left out. */
  readonly limit: number;
}

export interface Measurement {
  /** One for each implementation that has the quantity and agrees with the first. */
  readonly rows: readonly Row[];
  /** What is left out by rule. */
  readonly skipped: readonly string[];
  /** What disagrees or fails. */
  readonly faults: readonly string[];
}

interface Runner {
  readonly implementation: Implementation;
  readonly subject: Subject;
  /** The gradient alone, timed in the same rounds: load that comes and goes meets both. */
  readonly baseline: Subject;
}

/** Checks that the implementations agree, then times them. */
export async function measure(
  problem: Problem,
  quantity: QuantityName,
  implementations: readonly Implementation[],
  options: MeasureOptions,
): Promise<Measurement> {
  const batch = batchSize(problem, quantity);
  const data = await makeData(problem, batch);
  const what = `${problem.name} ${quantity}`;
  if (!fits(problem, quantity, data)) return { rows: [], skipped: [`${what}: does not fit into memory`], faults: [] };

  const subjects = new Subjects(problem, data);
  const [runners, skipped, faults]: [Runner[], string[], string[]] = [[], [], []];
  try {
    let expected: Arrays | undefined;
    for (const implementation of implementations) {
      const complain = (why: string) => `${what} on ${implementation.name}: ${why}`;
      try {
        const subject = await subjects.of(implementation, quantity);
        const baseline = subject && (await subjects.of(implementation.baseline ?? implementation, 'gradient'));
        if (!subject || !baseline) continue;
        const limit = Math.min(options.limit, implementation.limit ?? Number.POSITIVE_INFINITY);
        const seconds = await expectedSeconds(baseline, expectedGradients(problem, quantity), limit);
        if (seconds > limit) {
          skipped.push(complain(`about ${seconds.toFixed(0)} s a step`));
          continue;
        }
        const results = await subject.results(); // also the warm-up
        const difference = expected && disagreement(expected, results, implementation.tolerances?.[quantity]);
        if (difference) faults.push(complain(difference));
        else runners.push({ implementation, subject, baseline });
        expected ??= results;
      } catch (error) {
        faults.push(complain(error instanceof Error ? error.message : String(error)));
      }
    }
    expected = undefined;
    const rows = await rowsOf({ problem: problem.name, batch, quantity }, runners, options);
    return { rows, skipped, faults };
  } finally {
    await subjects.dispose();
  }
}

/** A first gradient may be slow because it is the first. */
async function expectedSeconds(baseline: Subject, gradients: number, limit: number): Promise<number> {
  const once = async () => (gradients * ((await baseline.turn(0))[0] ?? 0)) / 1000;
  const first = await once();
  return first > limit ? once() : first;
}

async function rowsOf(
  what: Pick<Row, 'problem' | 'batch' | 'quantity'>,
  runners: readonly Runner[],
  options: TimingOptions,
): Promise<readonly Row[]> {
  const reads = runners.some(({ implementation }) => implementation.timesReading);
  const turns = runners.flatMap(({ subject, baseline }) => [
    subject.turn,
    baseline.turn,
    ...(reads && subject.readingTurn ? [subject.readingTurn] : []),
  ]);
  const timings = await timeInterleaved([...new Set(turns)], options);
  const timing = (turn: Turn | undefined): Timing | undefined => turn && timings.get(turn);
  const torch = timing(
    runners.find(({ implementation: { name, baseline } }) => (baseline?.name ?? name) === 'torch')?.baseline.turn,
  );

  const rows: Row[] = [];
  for (const { implementation, subject, baseline } of runners) {
    const [own, gradient, reading] = [subject.turn, baseline.turn, subject.readingTurn].map(timing);
    if (!own || !gradient) continue;
    const peakBytes = await subject.peakBytes();
    rows.push({
      ...what,
      implementation: implementation.name,
      ...own,
      gradientMs: gradient.medianMs,
      ...(torch && { torchGradientMs: torch.medianMs }),
      ...(reading && { readMs: reading.medianMs }),
      ...(peakBytes !== undefined && { peakBytes }),
      threads: implementation.threads,
    });
  }
  return rows;
}
