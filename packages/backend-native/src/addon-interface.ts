import type { TypedArray } from '@gradpack/core';

/** Must equal `interfaceVersion` of `addon/addon.cc`. */
export const INTERFACE_VERSION = 5;

/** The number of a heap: what one backend owns. */
export type Heap = number;
/** The number of a storage or program. One that was released, or is another heap's, is refused by the addon. */
export type Handle = number;

/**
 * The functions of the addon. Each is done at once, in the order of calls; only `runAsync` goes on afterwards, and until its promise
 * settles nothing may touch what it was bound to. Failures are errors with GradPack's codes, wrong arguments TypeErrors.
 */
export interface Addon {
  readonly interfaceVersion: number;
  /** `avx512`, `avx2` or `portable`: what this machine has. */
  readonly isa: string;
  /** `limit`: bytes in use and kept together; `keep`: most bytes kept for reuse. */
  createHeap(limit: number, keep: number, threads: number): Heap;
  destroyHeap(heap: Heap): void;
  allocate(heap: Heap, dtype: number, length: number): Handle;
  release(heap: Heap, storage: Handle): void;
  write(heap: Heap, storage: Handle, from: TypedArray): void;
  read(heap: Heap, storage: Handle, offset: number, to: TypedArray): void;
  /** The storage's own memory; undefined where the engine allows no such buffer. Must be detached before release. */
  view(heap: Heap, storage: Handle): ArrayBuffer | undefined;
  /**
   * The storage's memory, which the buffer owns until it is collected: the storage ends. Undefined, and the storage goes on, where it is
   * empty or the engine allows no such buffer. What `view` gave must be detached before.
   */
  take(heap: Heap, storage: Handle): ArrayBuffer | undefined;
  /** Empties a buffer that `take` gave and has its memory back at once: true. Others are left alone. */
  recycle(heap: Heap, buffer: ArrayBufferLike): boolean;
  detach(buffer: ArrayBuffer): void;
  prepare(heap: Heap, words: Float64Array): Handle;
  /** Seconds that a first run might take. */
  estimate(heap: Heap, program: Handle): number;
  dispose(heap: Heap, program: Handle): void;
  /** Seconds it took. `storages` has one handle per buffer; what stands for scratch is not looked at. */
  run(heap: Heap, program: Handle, storages: Float64Array): number;
  /** Seconds it took, or −1 where it was stopped. */
  runAsync(heap: Heap, program: Handle, storages: Float64Array): Promise<number>;
  stop(heap: Heap): void;
  /** Calls that the run that goes on has done. */
  progress(heap: Heap): number;
  /** Fills in bytes live, bytes kept, programs, seconds in kernels, bytes of working memory of the process. */
  statistics(heap: Heap, to: Float64Array): void;
  /** Fills in seconds, calls and floating-point operations of each kernel, three numbers a kernel. */
  profile(heap: Heap, to: Float64Array): void;
  stopAll(): void;
}
