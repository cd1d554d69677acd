import { positionTable, sizeOf, type Window } from '@gradpack/core';
import type { KernelText } from './kernel-text.js';

const keyOf = (window: Window): string => JSON.stringify(window);

/** Declares `fn name(i: i32) -> i32` with `name(k · T + t)` the input position that output t reads at kernel offset k, or −1. */
export function declarePositions(k: KernelText, name: string, window: Window): void {
  k.table(name, `positions ${keyOf(window)}`, () => positionTable(window));
}

/**
 * Declares `fn name(i: i32) -> i32`, the window seen from the input: for input position s the pairs `name(j), name(j + 1)` = kernel
 * offset and output position that read it, for j from `name(s)` to `name(s + 1)` in steps of 2.
 */
export function declareReaders(k: KernelText, name: string, window: Window): void {
  k.table(name, `readers ${keyOf(window)}`, () => readersOf(window));
}

function readersOf(window: Window): Int32Array {
  const positions = positionTable(window);
  const [S, T] = [sizeOf(window.input), sizeOf(window.output)];
  const starts = new Int32Array(S + 1);
  for (const position of positions) if (position >= 0) starts[position + 1] = (starts[position + 1] as number) + 2;
  starts[0] = S + 1;
  for (let s = 1; s <= S; s++) starts[s] = (starts[s] as number) + (starts[s - 1] as number);
  const readers = new Int32Array(starts[S] as number);
  readers.set(starts);
  const next = starts.slice();
  positions.forEach((position, index) => {
    if (position < 0) return;
    const at = next[position] as number;
    readers[at] = Math.floor(index / T);
    readers[at + 1] = index % T;
    next[position] = at + 2;
  });
  return readers;
}
