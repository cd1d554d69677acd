import type { Dtype, Precision, TypedArray } from '../tensor/dtype.js';
import type { Program } from './program.js';

/**
 * Where numbers live and kernels run. Everything is queued in call order: a `write` or `run` is seen by every later `run` and
 * `read`. A backend computes the kernels of `kernel-call.ts`, owns their memory, and knows nothing of layers or quantities.
 */
export interface Backend {
  /** `cpu`, `native`, `webgpu`; third parties: `scope/name`. */
  readonly name: string;
  readonly precision: Precision;
  readonly limits: BackendLimits;
  readonly state: 'alive' | 'lost' | 'disposed';

  /** Fresh storage from the pool; its content is undefined. Throws GRADPACK-OUT-OF-MEMORY. */
  allocate(dtype: Dtype, length: number): Storage;
  /** Returns storage to the pool, once what was queued before has run. Releasing twice is an error of the caller. */
  release(storage: Storage): void;
  /** Replaces the storage's first `data.length` elements; `data` is copied before this returns, converted to the storage's dtype. */
  write(storage: Storage, data: ArrayLike<number>): void;
  /** Copies of the asked ranges, in one transfer, after everything queued before. */
  read(ranges: readonly StorageRange[]): Promise<readonly TypedArray[]>;
  /**
   * Reads and releases the storages of these ranges, each of which occurs once. An array may be the storage's own memory, which is the
   * caller's then. Absent: the caller reads, then releases.
   */
  take?(ranges: readonly StorageRange[]): Promise<readonly TypedArray[]>;
  /** Has the memory of an array back that `take` gave: it is empty from then on where it was handed over, and stays as it is otherwise. */
  recycle?(buffer: ArrayBufferLike): void;
  /** The numbers themselves without a copy, valid until release; absent where memory is not the host's. */
  view?(range: StorageRange): TypedArray;

  /** Compiles a program. May return at once, then the first run waits. */
  prepare(program: Program): Prepared;
  /**
   * Queues one run. `bindings[i]` is the storage of buffer i, for every buffer that is neither scratch nor constant; a parameter's
   * storage may be written by calls. Settles when it has run; rejects with a GradPackError, or with `abort.reason` when aborted between calls.
   */
  run(prepared: Prepared, bindings: readonly (Storage | undefined)[], options?: RunOptions): Promise<void> | void;

  memory(): BackendMemory;
  /** Frees everything the backend made; a device that was handed in stays. */
  dispose(): void | Promise<void>;
}

/** A handle of a run of numbers on a backend. */
export interface Storage {
  readonly dtype: Dtype;
  readonly length: number;
}

/** Elements `[offset, offset + length)` of a storage. */
export interface StorageRange {
  readonly storage: Storage;
  readonly offset: number;
  readonly length: number;
  /** An array of the storage's type and of that length, which a copy may go into instead of a fresh one. */
  readonly into?: TypedArray;
}

/** What a backend can take; the engine cuts columns, lays out programs and refuses steps by it. */
export interface BackendLimits {
  /** Bytes of the largest tensor that a kernel can take. */
  readonly tensorBytes: number;
  /** Bytes of the largest column tensor that the engine should make (it cuts columns into chunks). */
  readonly columnBytes: number;
  /** Bytes that one step may take by default (`memoryLimit`). */
  readonly memory: number;
  /** Whether the result of a `map` may lie over an operand (`KernelCall`); false when absent. */
  readonly mapsInPlace?: boolean;
}

/** What a backend holds. */
export interface BackendMemory {
  /** Bytes of storage that was allocated and not released. */
  readonly live: number;
  /** Bytes held for reuse. */
  readonly pooled: number;
  /** Bytes that kernels work in beside that, of all backends of the process together; none when absent. */
  readonly working?: number;
  /** Prepared programs that were not disposed. */
  readonly plans: number;
}

/** How one run is watched. */
export interface RunOptions {
  readonly abort?: AbortSignal;
  /** Called now and then with the share of calls that have run. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A program that its backend has compiled. */
export interface Prepared {
  readonly program: Program;
  dispose(): void;
}
