import type { Dtype, TypedArray } from '../tensor/dtype.js';
import type { KernelCall } from './kernel-call.js';

/**
 * A recorded program: plain data, the same for every backend. Buffers are numbered; calls run in order.
 * Bytes are counted with the precision the program was recorded in.
 */
export interface Program {
  readonly buffers: readonly ProgramBuffer[];
  /** Scratch memory: each scratch buffer lives in one slot, and buffers whose lifetimes do not meet share one; with `mapsInPlace` they may meet in a `map`. */
  readonly slots: readonly ProgramSlot[];
  readonly calls: readonly KernelCall[];
  readonly bytes: { readonly scratch: number; readonly kept: number; readonly results: number };
}

/** A piece of scratch memory that buffers share, one after the other. */
export interface ProgramSlot {
  readonly dtype: Dtype;
  readonly length: number;
}

/**
 * - `input`, `parameter`, `buffer` (state that is not trained), `scalar` (bound per run: seed and step, constants of `mul`, scales): bound by the caller
 * - `constant`: `data`, put on the backend once by `prepare`
 * - `scratch`: in `slot`, valid between calls `first` and `last`
 * - `kept`: read by later products; `result`: handed to the user. Both are bound to fresh storage, their content at the start is undefined
 */
export interface ProgramBuffer {
  readonly dtype: Dtype;
  readonly length: number;
  readonly role: 'input' | 'parameter' | 'buffer' | 'scalar' | 'constant' | 'scratch' | 'kept' | 'result';
  /** The calls that touch it first and last; −1 where none does. */
  readonly first: number;
  readonly last: number;
  readonly slot?: number;
  readonly data?: TypedArray;
}
