import type { Piece } from './pass.js';

/** The pieces cut into passes of at most `columns` columns, in order. */
export function chunks(all: readonly Piece[], columns: number): readonly (readonly Piece[])[] {
  const made: Piece[][] = [[]];
  let room = columns;
  for (const { source, to: end } of all)
    for (let from = 0; from < end; ) {
      if (room === 0) {
        made.push([]);
        room = columns;
      }
      const to = Math.min(end, from + room);
      (made[made.length - 1] as Piece[]).push({ source, from, to });
      room -= to - from;
      from = to;
    }
  return made.filter((pieces) => pieces.length > 0);
}
