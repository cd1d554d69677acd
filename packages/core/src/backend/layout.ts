import { bytesPerElement } from '../tensor/dtype.js';
import type { ProgramBuffer, ProgramSlot } from './program.js';

/** Buffers that lie in one place, one after the other. */
interface Tenancy {
  readonly dtype: ProgramSlot['dtype'];
  readonly length: number;
  readonly first: number;
  readonly last: number;
  readonly buffers: readonly number[];
}

type Slot = ProgramSlot & { readonly tenancies: readonly Tenancy[] };

/**
 * Gives every scratch buffer a slot, so that buffers whose lifetimes do not meet share memory. Buffers of one call never share, since
 * no call may read what it writes, but for those of `over`: the number of a buffer, and of one of the same length and type that ends
 * where it begins and whose slot it takes over.
 */
export function assignSlots(
  buffers: readonly ProgramBuffer[],
  over: ReadonlyMap<number, number> = new Map(),
): {
  readonly slots: readonly ProgramSlot[];
  readonly buffers: readonly ProgramBuffer[];
} {
  const tenancies = tenanciesOf(buffers, over);
  const byTime = slotsFor([...tenancies].sort((a, b) => a.first - b.first));
  const bySize = slotsFor([...tenancies].sort((a, b) => b.length - a.length));
  const slots = bytesOf(bySize) < bytesOf(byTime) ? bySize : byTime;
  const slotOf = new Map(
    slots.flatMap((slot, at) => slot.tenancies.flatMap((tenancy) => tenancy.buffers.map((buffer) => [buffer, at]))),
  );
  return {
    slots: slots.map(({ dtype, length }) => ({ dtype, length })),
    buffers: buffers.map((buffer, i) => {
      const slot = slotOf.get(i);
      return slot === undefined ? buffer : { ...buffer, slot };
    }),
  };
}

const bytesOf = (slots: readonly Slot[]): number =>
  slots.reduce((sum, { dtype, length }) => sum + length * bytesPerElement(dtype), 0);

/** In this order each takes the smallest free slot that fits, else the largest free one, grown. */
function slotsFor(tenancies: readonly Tenancy[]): readonly Slot[] {
  const slots: Slot[] = [];
  for (const { dtype, length, first, last, buffers } of tenancies) {
    const free = slots
      .filter(
        (slot) => slot.dtype === dtype && slot.tenancies.every((other) => other.last < first || last < other.first),
      )
      .sort((a, b) => a.length - b.length);
    const slot = free.find((one) => one.length >= length) ?? free.at(-1);
    const made = {
      dtype,
      length: Math.max(length, slot?.length ?? 0),
      tenancies: [...(slot?.tenancies ?? []), { dtype, length, first, last, buffers }],
    };
    if (slot) slots[slots.indexOf(slot)] = made;
    else slots.push(made);
  }
  return slots;
}

function tenanciesOf(buffers: readonly ProgramBuffer[], over: ReadonlyMap<number, number>): Tenancy[] {
  const next = new Map([...over].map(([buffer, before]) => [before, buffer]));
  return buffers.flatMap(({ role, dtype, length, first, last }, i): readonly Tenancy[] => {
    if (role !== 'scratch' || over.has(i)) return [];
    const chain = [i];
    let end = last;
    for (let follower = next.get(i); follower !== undefined; follower = next.get(follower)) {
      chain.push(follower);
      end = (buffers[follower] as ProgramBuffer).last;
    }
    return [{ dtype, length, first, last: end, buffers: chain }];
  });
}
