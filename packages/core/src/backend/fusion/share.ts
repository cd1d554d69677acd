import type { PendingCall, PendingCallOf } from '../pending-call.js';
import type { Place } from '../tensor-ref.js';
import type { Uses } from './uses.js';

type Gram = PendingCallOf<'gram'>;

/**
 * A Gram matrix that is computed twice from the same factors, also where it is summed up by several calls, is copied at the end: a
 * weight and its bias have the same output factor in KFAC and KFLR. `at` is the first call of the second one.
 */
export function shareGram(uses: Uses, at: number): void {
  const gram = uses.at(at);
  if (!isGram(gram) || gram.spec.accumulate) return;
  const [target] = gram.writes;
  const [factor] = gram.spec.factors;
  if (!target || !factor) return;
  const calls = uses.writers(target.buffer);
  const last = calls.at(-1) as number;
  const isReadBefore = uses.readers(target.buffer).some((reader) => reader <= last);
  if (calls[0] !== at || isReadBefore) return;
  const sources = uses
    .readers((gram.reads[0] as Place).buffer)
    .flatMap((before) => (before < at && isSame(uses, before, at) ? uses.at(before)?.writes : undefined) ?? []);
  const source = sources.find(({ buffer }) => isSum(uses, uses.writers(buffer), calls));
  if (!source) return;
  const length = factor.G * factor.F ** 2;
  const spec = { dtype: target.buffer.dtype, shape: [length], from: [1], to: [1], accumulate: false };
  for (const call of calls) uses.replace(call, undefined);
  uses.replace(last, { kernel: 'copy', reads: [source], writes: [target], spec, effect: gram.effect });
}

const isGram = (call: PendingCall | undefined): call is Gram => call?.kernel === 'gram';

/** Whether the calls `before` sum up in one place, and nowhere else, what the calls `at` sum up in another. */
function isSum(uses: Uses, before: readonly number[], at: readonly number[]): boolean {
  const isOnePlace = (calls: readonly number[]): boolean =>
    calls.every((call, i) => {
      const gram = uses.at(call);
      return (
        isGram(gram) &&
        gram.spec.accumulate === i > 0 &&
        isPlace(gram.writes[0], uses.at(calls[0] as number)?.writes[0])
      );
    });
  return (
    before.length === at.length &&
    isOnePlace(before) &&
    isOnePlace(at) &&
    before.every((call, i) => isSame(uses, call, at[i] as number))
  );
}

/** Whether two Gram calls, one after the other, add the same numbers. */
function isSame(uses: Uses, before: number, at: number): boolean {
  const [a, b] = [uses.at(before), uses.at(at)];
  return (
    before < at &&
    isGram(a) &&
    isGram(b) &&
    a.reads.length === b.reads.length &&
    a.reads.every((place, i) => isPlace(place, b.reads[i]) && !uses.isWrittenBetween(place.buffer, before, at)) &&
    JSON.stringify(a.spec) === JSON.stringify(b.spec)
  );
}

const isPlace = (a: Place | undefined, b: Place | undefined): boolean =>
  a !== undefined && a.buffer === b?.buffer && a.offset === b.offset;
