import type { ProgramBuffer, ProgramSlot } from './program.js';

/**
 * Gives every scratch buffer a slot, so that buffers whose lifetimes do not meet share memory: the largest buffers first, each in the
 * smallest slot that is free all its life. Buffers of one call never share, since no call may read what it writes.
 */
export function assignSlots(buffers: readonly ProgramBuffer[]): {
  readonly slots: readonly ProgramSlot[];
  readonly buffers: readonly ProgramBuffer[];
} {
  const slots: (ProgramSlot & { readonly holds: ProgramBuffer[] })[] = [];
  const chosen = new Map<ProgramBuffer, number>();
  const scratch = buffers.filter(({ role }) => role === 'scratch').sort((a, b) => b.length - a.length);
  for (const buffer of scratch) {
    const { dtype, length } = buffer;
    const isFree = ({ holds }: (typeof slots)[number]): boolean =>
      holds.every(({ first, last }) => last < buffer.first || buffer.last < first);
    // slots were made largest first
    const at = slots.findLastIndex((slot) => slot.dtype === dtype && isFree(slot));
    if (at >= 0) slots[at]?.holds.push(buffer);
    chosen.set(buffer, at >= 0 ? at : slots.push({ dtype, length, holds: [buffer] }) - 1);
  }
  return {
    slots: slots.map(({ dtype, length }) => ({ dtype, length })),
    buffers: buffers.map((buffer) => {
      const slot = chosen.get(buffer);
      return slot === undefined ? buffer : { ...buffer, slot };
    }),
  };
}
