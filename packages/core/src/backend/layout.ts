import type { ProgramBuffer, ProgramSlot } from './program.js';

/**
 * Gives every scratch buffer a slot, so that buffers whose lifetimes do not meet share memory: the free slot that fits best, else the
 * largest free one, grown. Buffers of one call never share, since no call may read what it writes.
 */
export function assignSlots(buffers: readonly ProgramBuffer[]): {
  readonly slots: readonly ProgramSlot[];
  readonly buffers: readonly ProgramBuffer[];
} {
  const slots: { dtype: ProgramSlot['dtype']; length: number; busyUntil: number }[] = [];
  const chosen = new Map<ProgramBuffer, number>();
  const scratch = buffers.filter(({ role }) => role === 'scratch').sort((a, b) => a.first - b.first);
  for (const buffer of scratch) {
    let best = -1;
    slots.forEach((slot, i) => {
      if (slot.dtype !== buffer.dtype || slot.busyUntil >= buffer.first) return;
      const current = slots[best];
      const fits = slot.length >= buffer.length;
      const currentFits = current !== undefined && current.length >= buffer.length;
      const closer = fits
        ? !currentFits || slot.length < current.length
        : !currentFits && slot.length > (current?.length ?? -1);
      if (closer) best = i;
    });
    const slot = slots[best];
    if (slot) {
      slot.length = Math.max(slot.length, buffer.length);
      slot.busyUntil = buffer.last;
    } else {
      best = slots.length;
      slots.push({ dtype: buffer.dtype, length: buffer.length, busyUntil: buffer.last });
    }
    chosen.set(buffer, best);
  }
  return {
    slots: slots.map(({ dtype, length }) => ({ dtype, length })),
    buffers: buffers.map((buffer) => {
      const slot = chosen.get(buffer);
      return slot === undefined ? buffer : { ...buffer, slot };
    }),
  };
}
