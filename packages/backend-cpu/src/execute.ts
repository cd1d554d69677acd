import type { RunOptions, TimeSlice, TypedArray } from '@gradpack/core';
import { GradPackError } from '@gradpack/core';
import { type ArrayPool, outOfMemory } from './array-pool.js';
import { poison } from './poison.js';
import type { PreparedProgram } from './prepared-program.js';

/** What runs of one backend share. */
export interface Executor {
  readonly pool: ArrayPool;
  readonly slice: TimeSlice;
  readonly poisoned: boolean;
  /** Throws where the backend cannot go on. */
  assertAlive(): void;
}

/**
 * Runs the calls in order, at once where they fit into the time slice; otherwise lets the event loop turn between calls.
 * `bound[i]` is the array of buffer i where the caller binds it. Scratch slots come from the pool and go back in any case.
 */
export function execute(
  executor: Executor,
  prepared: PreparedProgram,
  bound: readonly (TypedArray | undefined)[],
  options: RunOptions = {},
): Promise<void> | undefined {
  const { pool, slice } = executor;
  const { program, calls } = prepared;
  const slots: TypedArray[] = [];
  const release = (): void => {
    prepared.bind([]);
    for (const slot of slots) pool.give(slot);
  };
  let arrays: readonly (TypedArray | undefined)[] = [];
  let next = 0;
  /** Whether all calls have run, else the slice is over. */
  const advance = (): boolean => {
    for (;;) {
      executor.assertAlive();
      if (options.abort?.aborted) throw options.abort.reason;
      if (next === calls.length) return true;
      if (slice.expired()) return false;
      if (executor.poisoned) poisonScratch(prepared, arrays, next, 'first');
      runCall(prepared, next);
      if (executor.poisoned) poisonScratch(prepared, arrays, next, 'last');
      next++;
    }
  };
  const finishLater = async (): Promise<void> => {
    try {
      do {
        options.onProgress?.(next, calls.length);
        await slice.turn();
      } while (!advance());
      options.onProgress?.(next, calls.length);
    } finally {
      release();
    }
  };
  try {
    for (const { dtype, length } of program.slots) slots.push(pool.take(dtype, length, 'backend.run'));
    arrays = program.buffers.map(
      (buffer, index) =>
        prepared.constants.get(index) ?? (buffer.slot === undefined ? bound[index] : slots[buffer.slot]),
    );
    prepared.bind(arrays);
    if (!advance()) return finishLater();
    options.onProgress?.(next, calls.length);
  } catch (error) {
    release();
    throw error;
  }
  release();
  return undefined;
}

function runCall({ calls, program }: PreparedProgram, index: number): void {
  try {
    calls[index]?.();
  } catch (cause) {
    if (cause instanceof GradPackError) throw cause;
    const kernel = program.calls[index]?.kernel;
    // kernels make only their workspace: a RangeError there is a size that the runtime refuses
    if (cause instanceof RangeError)
      throw outOfMemory(`backend.run, call ${index} (${kernel})`, 'the workspace of a kernel', cause);
    throw new GradPackError('GRADPACK-INTERNAL', `kernel ${kernel} failed`, {
      where: `backend.run, call ${index}`,
      got: cause,
      fix: 'report it as a defect of GradPack or of the layer that recorded the call',
      cause,
    });
  }
}

function poisonScratch(
  { program }: PreparedProgram,
  arrays: readonly (TypedArray | undefined)[],
  call: number,
  when: 'first' | 'last',
): void {
  program.buffers.forEach((buffer, index) => {
    const array = arrays[index];
    if (buffer.role === 'scratch' && buffer[when] === call && array) poison(array, buffer.length);
  });
}
