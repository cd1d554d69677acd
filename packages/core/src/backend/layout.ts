import type { ProgramBuffer, ProgramSlot } from './program.js';

/** Buffers that lie in one place, one after the other. */
interface Tenancy {
  readonly dtype: ProgramSlot['dtype'];
  readonly length: number;
  readonly first: number;
  readonly last: number;
  readonly buffers: readonly number[];
}

/**
 * Gives every scratch buffer a slot, so that buffers whose lifetimes do not meet share memory: the largest buffers first, each in the
 * smallest slot that is free all its life. Buffers of one call never share, since no call may read what it writes, but for those of
 * `over`: the number of a buffer, and of one of the same length and type that ends where it begins and whose slot it takes over.
 */
export function assignSlots(
  buffers: readonly ProgramBuffer[],
  over: ReadonlyMap<number, number> = new Map(),
): {
  readonly slots: readonly ProgramSlot[];
  readonly buffers: readonly ProgramBuffer[];
} {
  const slots: (ProgramSlot & { readonly holds: Tenancy[] })[] = [];
  const chosen = new Map<number, number>();
  for (const tenancy of tenanciesOf(buffers, over).sort((a, b) => b.length - a.length)) {
    const { dtype, length, first, last } = tenancy;
    const isFree = ({ holds }: (typeof slots)[number]): boolean =>
      holds.every((other) => other.last < first || last < other.first);
    // slots were made largest first
    const found = slots.findLastIndex((slot) => slot.dtype === dtype && isFree(slot));
    const at = found >= 0 ? found : slots.push({ dtype, length, holds: [] }) - 1;
    slots[at]?.holds.push(tenancy);
    for (const buffer of tenancy.buffers) chosen.set(buffer, at);
  }
  return {
    slots: slots.map(({ dtype, length }) => ({ dtype, length })),
    buffers: buffers.map((buffer, i) => {
      const slot = chosen.get(i);
      return slot === undefined ? buffer : { ...buffer, slot };
    }),
  };
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
