import { requireAgreement } from './agreement.js';
import { makeData } from './data.js';
import type { Implementation, Subject } from './implementation.js';
import { batchSize, type Problem } from './problem.js';
import type { QuantityName } from './quantities.js';
import type { Row } from './results.js';
import { type TimingOptions, timeInterleaved } from './timing.js';

interface Runner {
  readonly implementation: Implementation;
  readonly subject: Subject;
  /** The gradient alone, timed in the same rounds: load that comes and goes meets both. */
  readonly baseline: Subject;
}

/** Checks that the implementations agree, then times them: a row for each that has the quantity. */
export async function measure(
  problem: Problem,
  quantity: QuantityName,
  implementations: readonly Implementation[],
  options: TimingOptions,
): Promise<readonly Row[]> {
  const batch = batchSize(problem, quantity);
  const data = await makeData(problem, batch);
  const subjects: Subject[] = [];
  const prepare = async (implementation: Implementation, name: QuantityName): Promise<Subject | undefined> => {
    const subject = await implementation.prepare(problem, name, data);
    if (subject) subjects.push(subject);
    return subject;
  };
  try {
    const runners: Runner[] = [];
    for (const implementation of implementations) {
      const subject = await prepare(implementation, quantity);
      const baseline = quantity === 'gradient' ? subject : await prepare(implementation, 'gradient');
      if (subject && baseline) runners.push({ implementation, subject, baseline });
    }
    await requireEqualResults(`${problem.name} ${quantity}`, runners);
    const timings = await timeInterleaved(subjects, options);
    return runners.flatMap(({ implementation: { name, threads }, subject, baseline }) => {
      const [timing, gradient] = [timings.get(subject), timings.get(baseline)];
      if (!timing || !gradient) return [];
      const row = { problem: problem.name, batch, quantity, implementation: name, ...timing };
      return [{ ...row, gradientMs: gradient.medianMs, peakBytes: subject.peakBytes(), threads }];
    });
  } finally {
    for (const subject of subjects) await subject.dispose();
  }
}

/** Also the warm-up. */
async function requireEqualResults(what: string, runners: readonly Runner[]): Promise<void> {
  let expected: ReadonlyMap<string, ArrayLike<number>> | undefined;
  for (const { implementation, subject } of runners) {
    const results = await subject.results();
    if (expected) requireAgreement(`${what} on ${implementation.name}`, expected, results);
    expected ??= results;
  }
}
