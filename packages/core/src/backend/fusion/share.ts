import type { PendingCall, PendingCallOf } from '../pending-call.js';
import type { Place } from '../tensor-ref.js';
import type { Uses } from './uses.js';

/**
 * A Gram matrix that was computed before, from the same factors, is copied: a weight and its bias have the same output factor in KFAC
 * and KFLR.
 */
export function shareGram(uses: Uses, at: number): void {
  const gram = uses.at(at);
  if (!isGram(gram) || gram.spec.accumulate) return;
  const same = uses.readers((gram.reads[0] as Place).buffer).find((before) => before < at && isSame(uses, before, at));
  const [source] = (same === undefined ? undefined : uses.at(same))?.writes ?? [];
  const [target] = gram.writes;
  const [factor] = gram.spec.factors;
  if (!source || !target || !factor) return;
  const length = factor.G * factor.F ** 2;
  const spec = { dtype: target.buffer.dtype, shape: [length], from: [1], to: [1], accumulate: false };
  uses.replace(at, { kernel: 'copy', reads: [source], writes: [target], spec, effect: gram.effect });
}

const isGram = (call: PendingCall | undefined): call is PendingCallOf<'gram'> => call?.kernel === 'gram';

/** Whether the call at `before` wrote what the one at `at` writes, and it is still there. */
function isSame(uses: Uses, before: number, at: number): boolean {
  const [a, b] = [uses.at(before), uses.at(at)];
  if (!isGram(a) || !isGram(b)) return false;
  const [target] = a.writes;
  const alike =
    a.reads.length === b.reads.length &&
    a.reads.every(({ buffer, offset }, i) => buffer === b.reads[i]?.buffer && offset === b.reads[i]?.offset) &&
    JSON.stringify(a.spec) === JSON.stringify(b.spec);
  return alike && ![...a.reads, target as Place].some(({ buffer }) => uses.isWrittenBetween(buffer, before, at));
}
