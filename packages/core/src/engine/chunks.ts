import type { Piece } from './pass.js';

/** The pieces cut, in order, into as few passes as have at most `columns` columns each, of sizes that differ by at most one. */
export function chunks(all: readonly Piece[], columns: number): readonly (readonly Piece[])[] {
  const made: Piece[][] = [];
  let left = all.reduce((sum, { from, to }) => sum + to - from, 0);
  let passes = Math.max(1, Math.ceil(left / columns));
  let room = 0;
  for (const { source, from: start, to: end } of all)
    for (let from = start; from < end; ) {
      if (room === 0) {
        made.push([]);
        room = Math.ceil(left / passes--);
        left -= room;
      }
      const to = Math.min(end, from + room);
      (made.at(-1) as Piece[]).push({ source, from, to });
      room -= to - from;
      from = to;
    }
  return made;
}
