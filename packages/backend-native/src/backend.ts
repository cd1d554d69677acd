import type { Backend, Precision, Prepared, RunOptions, Storage, StorageRange, TypedArray } from '@gradpack/core';
import { bytesPerElement, GradPackError, jobQueue, timeSlice, typedArray } from '@gradpack/core';
import type { Addon } from './addon-interface.js';
import { encodeProgram, KERNELS } from './encode.js';
import { failureOf, guarded } from './failure.js';
import { assertRange, type NativeStorage, ownStorage } from './native-storage.js';
import { arrayOn, copyOf, DTYPES, numbersOf } from './numbers.js';
import { bindHandles, measured, type PreparedProgram, storeConstants, unboundHandles } from './prepared-program.js';

/** What `native()` makes. */
export interface NativeBackend extends Backend {
  readonly name: 'native';
  readonly threads: number;
  /** `avx512`, `avx2`, `neon` or `portable`. */
  readonly isa: string;
  /** Seconds spent in kernels since the backend was made. */
  kernelSeconds(): number;
  /** What each kernel took since the backend was made, the longest first. */
  profile(): readonly KernelProfile[];
}

/** All calls of one kernel. */
export interface KernelProfile {
  readonly kernel: string;
  readonly calls: number;
  readonly seconds: number;
  /** Multiplications and additions of its matrix products; 0 for kernels that have none. */
  readonly flops: number;
}

export interface NativeSettings {
  readonly precision: Precision;
  readonly threads: number;
  /** `limits.memory`. */
  readonly memory: number;
  /** Bytes that are never exceeded. */
  readonly physical: number;
}

/**
 * Programs that take less run on the calling thread: another thread costs 20 to 50 µs and a turn of the event loop when the machine is
 * idle, and several milliseconds when others wait for its cores.
 */
const SHORT_SECONDS = 4e-3;
/** Milliseconds of such programs after which the event loop turns. */
const SLICE = 10;
/** What is smaller is copied when it is taken: that costs less than a buffer that comes back. */
const HANDED_OVER_BYTES = 2 ** 12;
/** What is larger is copied too: engines refuse such buffers. */
const HANDED_OVER_MOST = 2 ** 31;
/** After so much was handed over the event loop turns: what the garbage collector has found comes back then, and is used again. */
const TURN_BYTES = 2 ** 25;
const PROGRESS_MILLISECONDS = 50;
const TENSOR_BYTES = 2 ** 32;
const COLUMN_BYTES = 3.5 * 2 ** 20;

interface Source extends Omit<StorageRange, 'storage'> {
  readonly source: NativeStorage;
}

/** The contract over the addon: order, ownership and errors here, memory and kernels there. */
export function nativeBackend(addon: Addon, { precision, threads, memory, physical }: NativeSettings): NativeBackend {
  const heap = addon.createHeap(Math.max(physical, memory), memory, threads);
  const jobs = jobQueue();
  const slice = timeSlice(SLICE);
  const owner = {};
  const programs = new Map<Prepared, PreparedProgram>();
  /** Storages whose memory JavaScript sees. */
  const viewed = new Set<NativeStorage>();
  const statistics = new Float64Array(5);
  let constantBytes = 0;
  /** Bytes since the event loop turned for them. */
  let handedOver = 0;
  let state: Backend['state'] = 'alive';

  const assertAlive = (where: string): void => {
    if (state !== 'alive') throw disposedBackend(where);
  };
  const own = (storage: Storage, where: string): NativeStorage => ownStorage(storage, owner, where);

  const store = (dtype: Storage['dtype'], length: number): NativeStorage => {
    const handle = guarded('backend.allocate', () => addon.allocate(heap, DTYPES.indexOf(dtype), length));
    return { owner, handle, dtype, length, released: false };
  };
  const free = (storage: NativeStorage): void => {
    unview(storage);
    addon.release(heap, storage.handle);
  };
  const unview = (storage: NativeStorage): void => {
    if (!storage.buffer) return;
    addon.detach(storage.buffer);
    delete storage.buffer;
    viewed.delete(storage);
  };
  const bytesOf = ({ dtype, length }: Storage): number => length * bytesPerElement(dtype);

  const sourceOf = ({ storage, offset, length, into }: StorageRange, where: string): Source => {
    const source = own(storage, where);
    assertRange(source, offset, length, where);
    return { source, offset, length, ...(into && { into }) };
  };
  const copied = ({
    source: { handle, dtype },
    offset,
    length,
    into = typedArray(dtype, length),
  }: Source): TypedArray => {
    addon.read(heap, handle, offset, into);
    return into;
  };
  const taken = (range: Source): TypedArray => {
    const { source, length } = range;
    const bytes = bytesOf(source);
    let isGone = false;
    try {
      if (length === source.length && bytes >= HANDED_OVER_BYTES && bytes <= HANDED_OVER_MOST) {
        unview(source);
        const buffer = guarded('backend.take', () => addon.take(heap, source.handle));
        if (buffer) {
          isGone = true;
          handedOver += bytes;
          return arrayOn(buffer, source.dtype);
        }
      }
      return copied(range);
    } finally {
      if (!isGone) free(source);
    }
  };

  const takenAll = (ranges: readonly Source[]): readonly TypedArray[] => {
    const left = [...ranges];
    try {
      return ranges.map(() => taken(left.shift() as Source));
    } finally {
      for (const { source } of left) free(source); // one before them failed
    }
  };

  const storeConstant = (data: TypedArray): NativeStorage => {
    const dtype = data instanceof Int32Array ? 'int32' : precision;
    const storage = store(dtype, data.length);
    constantBytes += bytesOf(storage);
    addon.write(heap, storage.handle, numbersOf(dtype, data));
    return storage;
  };
  const freeConstants = ({ constants }: Pick<PreparedProgram, 'constants'>): void => {
    for (const storage of constants.values()) {
      constantBytes -= bytesOf(storage);
      free(storage);
    }
  };

  const execute = (
    program: PreparedProgram,
    handles: Float64Array,
    options: RunOptions | undefined,
  ): void | Promise<void> => {
    const total = program.program.calls.length;
    if (options?.abort?.aborted) return Promise.reject(options.abort.reason);
    if (program.seconds <= SHORT_SECONDS) {
      measured(
        program,
        guarded('backend.run', () => addon.run(heap, program.handle, handles)),
      );
      options?.onProgress?.(total, total);
      return;
    }
    return executeElsewhere(program, handles, total, options ?? {});
  };

  const executeElsewhere = async (
    program: PreparedProgram,
    handles: Float64Array,
    total: number,
    { abort, onProgress }: RunOptions,
  ): Promise<void> => {
    const stop = (): void => addon.stop(heap);
    let timer: ReturnType<typeof setInterval> | undefined;
    try {
      const running = addon.runAsync(heap, program.handle, handles);
      abort?.addEventListener('abort', stop, { once: true });
      if (onProgress) timer = setInterval(() => onProgress(addon.progress(heap), total), PROGRESS_MILLISECONDS);
      const seconds = await running;
      if (seconds < 0) throw abort?.reason ?? disposedBackend('backend.run');
      measured(program, seconds);
      onProgress?.(total, total);
    } catch (error) {
      throw failureOf('backend.run', error);
    } finally {
      clearInterval(timer);
      abort?.removeEventListener('abort', stop);
    }
  };

  const destroy = (): void => {
    for (const storage of [...viewed]) unview(storage);
    programs.clear();
    addon.destroyHeap(heap);
  };

  return {
    name: 'native',
    precision,
    threads,
    isa: addon.isa,
    limits: { tensorBytes: TENSOR_BYTES, columnBytes: COLUMN_BYTES, memory, mapsInPlace: true },
    get state() {
      return state;
    },

    allocate(dtype, length) {
      assertAlive('backend.allocate');
      return store(dtype, length);
    },

    release(storage) {
      if (state !== 'alive') return;
      const released = own(storage, 'backend.release');
      released.released = true;
      void jobs.submit(() => free(released));
    },

    write(storage, data) {
      assertAlive('backend.write');
      const { handle, dtype, length } = own(storage, 'backend.write');
      assertRange({ dtype, length }, 0, data.length, 'backend.write');
      const numbers = jobs.idle ? numbersOf(dtype, data) : copyOf(dtype, data);
      void jobs.submit(() => addon.write(heap, handle, numbers));
    },

    async read(ranges) {
      assertAlive('backend.read');
      const sources = ranges.map((range) => sourceOf(range, 'backend.read'));
      return jobs.submit(() => sources.map(copied));
    },

    async take(ranges) {
      assertAlive('backend.take');
      const sources = ranges.map((range) => sourceOf(range, 'backend.take'));
      for (const { source } of sources) own(source, 'backend.take').released = true;
      const arrays = await jobs.submit(() => takenAll(sources));
      if (handedOver >= TURN_BYTES) {
        handedOver = 0;
        await slice.turn();
      }
      return arrays;
    },

    recycle(buffer) {
      if (state !== 'alive') return;
      const { byteLength } = buffer;
      if (guarded('backend.recycle', () => addon.recycle(heap, buffer)))
        handedOver = Math.max(0, handedOver - byteLength);
    },

    view({ storage, offset, length }) {
      assertAlive('backend.view');
      const source = own(storage, 'backend.view');
      assertRange(source, offset, length, 'backend.view');
      const buffer = source.buffer ?? addon.view(heap, source.handle);
      if (!buffer) throw noView();
      source.buffer = buffer;
      viewed.add(source);
      return arrayOn(buffer, source.dtype, offset, length);
    },

    prepare(program) {
      assertAlive('backend.prepare');
      const words = encodeProgram(program, precision);
      const handle = guarded('backend.prepare', () => addon.prepare(heap, words));
      const stored = new Map<number, NativeStorage>();
      try {
        storeConstants(program, storeConstant, stored);
      } catch (error) {
        // a program that runs forbids it until it ends
        void jobs.submit(() => {
          freeConstants({ constants: stored });
          addon.dispose(heap, handle);
        });
        throw error;
      }
      const seconds = addon.estimate(heap, handle);
      const handles = unboundHandles(program, stored);
      const made: PreparedProgram = { program, handle, constants: stored, handles, seconds, last: seconds };
      const prepared: Prepared = {
        program,
        dispose() {
          if (!programs.delete(prepared) || state !== 'alive') return;
          // runs that were queued before still need it
          void jobs.submit(() => {
            addon.dispose(heap, handle);
            freeConstants(made);
          });
        },
      };
      programs.set(prepared, made);
      return prepared;
    },

    run(prepared, bindings, options) {
      try {
        assertAlive('backend.run');
        const program = programs.get(prepared);
        if (!program) throw disposedProgram();
        // an array that the addon has seen costs a microsecond and more of the garbage collector
        const handles = jobs.idle ? program.handles : program.handles.slice();
        bindHandles(program.program, bindings, owner, handles);
        const running = jobs.submit(() => execute(program, handles, options));
        // only the caller waits for the turn: the run is over, and what is asked next does not wait for it
        return running ?? (slice.expired() ? slice.turn() : undefined);
      } catch (error) {
        return Promise.reject(error);
      }
    },

    memory() {
      if (state !== 'alive') return { live: 0, pooled: 0, plans: 0, working: 0 };
      addon.statistics(heap, statistics);
      const [live = 0, pooled = 0] = statistics;
      return { live: live - constantBytes, pooled, plans: programs.size, working: statistics[4] ?? 0 };
    },

    kernelSeconds() {
      if (state === 'alive') addon.statistics(heap, statistics);
      return statistics[3] ?? 0;
    },

    profile() {
      assertAlive('backend.profile');
      const times = new Float64Array(3 * KERNELS.length);
      addon.profile(heap, times);
      return KERNELS.map((kernel, i) => {
        const [seconds = 0, calls = 0, flops = 0] = times.subarray(3 * i);
        return { kernel, calls, seconds, flops };
      })
        .filter(({ calls }) => calls > 0)
        .sort((a, b) => b.seconds - a.seconds);
    },

    dispose() {
      if (state !== 'alive') return;
      state = 'disposed';
      return jobs.submit(destroy);
    },
  };
}

function disposedBackend(where: string): GradPackError {
  return new GradPackError('GRADPACK-DISPOSED', 'the native backend was disposed', {
    where,
    expected: 'a backend that is alive',
    got: 'a disposed backend',
    fix: 'make a new one with await native(), and dispose it after the last step',
  });
}

function disposedProgram(): GradPackError {
  return new GradPackError(
    'GRADPACK-DISPOSED',
    'a program ran after it was disposed, or was prepared by another backend',
    {
      where: 'backend.run',
      expected: 'a program that this backend prepared',
      got: 'a disposed or foreign program',
      fix: 'prepare the program on this backend and dispose it after its last run',
    },
  );
}

function noView(): GradPackError {
  return new GradPackError('GRADPACK-UNSUPPORTED-MODE', 'this JavaScript engine allows no views of native memory', {
    where: 'backend.view',
    fix: 'use read, which copies',
  });
}
