import type { Backend, Precision, Prepared, Program, Storage, TypedArray } from '@gradpack/core';
import { bytesPerElement, GradPackError, jobQueue, timeSlice, typedArrayOf } from '@gradpack/core';
import { arrayPool, outOfMemory } from './array-pool.js';
import { type CpuStorage, ownStorage, rangeOf } from './cpu-storage.js';
import { type Executor, execute } from './execute.js';
import { environment, physicalMemory } from './host.js';
import { poison } from './poison.js';
import { type PreparedProgram, prepareProgram } from './prepared-program.js';

export interface CpuOptions {
  /** Float type of all numbers; sums are taken in float64 in both. Default 'float32'. */
  readonly precision?: Precision;
  /** Fill buffers with NaN (int32: −1) before their first and after their last use, to find reads of undefined memory. Default: whether the environment has GRADPACK_POISON=1. */
  readonly poison?: boolean;
  /** Bytes that one step may take by default. Default: half of physical memory. */
  readonly memory?: number;
}

/** Milliseconds that a program computes before it lets the event loop turn. */
const SLICE = 8;
const MIB = 2 ** 20;
/** The longest array of every supported runtime, in bytes. */
const TENSOR_BYTES = 4096 * MIB - 8;
const COLUMN_BYTES = 64 * MIB;
const POOLED_BYTES = 1024 * MIB;

/**
 * The backend that runs everywhere: plain TypeScript on typed arrays, in Node and browsers. With `precision: 'float64'` it is
 * what the other backends are compared with.
 *
 * @example
 * const net = await extend(model, crossEntropyLoss(), { backend: cpu({ precision: 'float64' }) });
 */
export function cpu({
  precision = 'float32',
  poison: poisoned = environment('GRADPACK_POISON') === '1',
  memory,
}: CpuOptions = {}): Backend {
  const physical = physicalMemory();
  const limits = { tensorBytes: TENSOR_BYTES, columnBytes: COLUMN_BYTES, memory: memory ?? physical / 2 };
  const largest = Math.max(physical, limits.memory);
  const pool = arrayPool(Math.min(POOLED_BYTES, limits.memory));
  const jobs = jobQueue();
  const owner = {};
  const programs = new Map<Prepared, PreparedProgram>();
  let live = 0;
  let disposed = false;

  const assertAlive = (where: string): void => {
    if (disposed) throw disposedBackend(where);
  };
  const executor: Executor = { pool, slice: timeSlice(SLICE), poisoned, assertAlive: () => assertAlive('backend.run') };
  const bytesOf = ({ dtype, length }: Storage): number => length * bytesPerElement(dtype);

  const backend: Backend = {
    name: 'cpu',
    precision,
    limits,
    get state() {
      return disposed ? 'disposed' : 'alive';
    },

    allocate(dtype, length): Storage {
      assertAlive('backend.allocate');
      const bytes = length * bytesPerElement(dtype);
      if (bytes > limits.tensorBytes || live + bytes > largest) throw outOfMemory('backend.allocate', bytes);
      const array = pool.take(dtype, length, 'backend.allocate');
      if (poisoned) poison(array);
      live += bytes;
      const storage: CpuStorage = { owner, dtype, length, array, released: false };
      return storage;
    },

    release(storage) {
      if (disposed) return;
      const own = ownStorage(storage, owner, 'backend.release');
      own.released = true;
      void jobs.submit(() => {
        if (disposed) return;
        live -= bytesOf(own);
        if (poisoned) poison(own.array);
        pool.give(own.array);
      });
    },

    write(storage, data) {
      assertAlive('backend.write');
      const own = ownStorage(storage, owner, 'backend.write');
      const target = rangeOf(own, 0, data.length, 'backend.write');
      const source = jobs.idle ? data : typedArrayOf(own.dtype, data);
      void jobs.submit(() => target.set(source));
    },

    async read(ranges) {
      assertAlive('backend.read');
      const views = ranges.map(({ storage, offset, length }) =>
        rangeOf(ownStorage(storage, owner, 'backend.read'), offset, length, 'backend.read'),
      );
      return jobs.submit((): readonly TypedArray[] => {
        assertAlive('backend.read');
        return views.map((view) => view.slice());
      });
    },

    view({ storage, offset, length }) {
      assertAlive('backend.view');
      return rangeOf(ownStorage(storage, owner, 'backend.view'), offset, length, 'backend.view');
    },

    prepare(program): Prepared {
      assertAlive('backend.prepare');
      const prepared: Prepared = { program, dispose: () => void programs.delete(prepared) };
      programs.set(prepared, prepareProgram(program));
      return prepared;
    },

    run(prepared, bindings, options) {
      try {
        assertAlive('backend.run');
        const own = programs.get(prepared);
        if (!own) throw disposedProgram();
        const arrays = bindingsOf(own.program, bindings, owner);
        return jobs.submit(() => execute(executor, own, arrays, options)) ?? undefined;
      } catch (error) {
        return Promise.reject(error);
      }
    },

    memory: () => ({ live, pooled: pool.bytes, plans: programs.size }),

    dispose() {
      disposed = true;
      live = 0;
      programs.clear();
      pool.close();
    },
  };
  return backend;
}

/** The arrays of the bound buffers. Throws where one is missing or does not fit. */
function bindingsOf(
  program: Program,
  bindings: readonly (Storage | undefined)[],
  owner: object,
): readonly (TypedArray | undefined)[] {
  return program.buffers.map(({ role, dtype, length }, index) => {
    if (role === 'scratch' || role === 'constant') return undefined;
    const storage = bindings[index];
    const own = storage && ownStorage(storage, owner, 'backend.run');
    if (!own || own.dtype !== dtype || own.length < length)
      throw new GradPackError('GRADPACK-INTERNAL', `buffer ${index} (${role}) is not bound to storage that fits`, {
        where: 'backend.run',
        expected: `${length} × ${dtype}`,
        got: own ? `${own.length} × ${own.dtype}` : 'nothing',
        fix: 'bind storage for every buffer that is neither scratch nor constant, recorded in the precision of the backend',
      });
    return own.array;
  });
}

function disposedBackend(where: string): GradPackError {
  return new GradPackError('GRADPACK-DISPOSED', 'the cpu backend was disposed', {
    where,
    expected: 'a backend that is alive',
    got: 'a disposed backend',
    fix: 'make a new one with cpu(), and dispose it after the last step',
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
