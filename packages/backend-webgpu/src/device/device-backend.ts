import {
  type Backend,
  type BackendLimits,
  type BackendMemory,
  type Dtype,
  GradPackError,
  type Prepared,
  type Program,
  type RunOptions,
  type Storage,
  type StorageRange,
  type TypedArray,
} from '@gradpack/core';
import { lowerProgram } from '../lowering/lower-program.js';
import { type BufferPool, bufferPool } from './buffer-pool.js';
import { type CallOrder, callOrder } from './call-order.js';
import { assertBufferSize, assertFloat32, disposed, lost, outOfMemory } from './device-errors.js';
import { BUFFER_USAGE } from './gpu-flags.js';
import { type Pipelines, pipelines } from './pipelines.js';
import { type PreparedProgram, prepareProgram } from './prepared-program.js';
import { submitProgram } from './program-run.js';
import { readRanges } from './read-ranges.js';

export interface DeviceBackendOptions {
  readonly device: GPUDevice;
  /** Whether `dispose` destroys the device. */
  readonly owned: boolean;
  readonly memory?: number;
  /** Bytes of one binding, for tests; the device's limit by default. */
  readonly bindingBytes?: number;
  /** Storage buffers of one dispatch, for tests; the device's limit by default. */
  readonly storageBuffers?: number;
}

/**
 * The backend over a device. Every storage is a buffer of its own, so no dispatch binds one buffer for reading and for writing. Calls
 * are queued in order (`CallOrder`); only a run whose pipelines still compile, or that can be aborted, makes later calls wait.
 */
export class DeviceBackend implements Backend {
  readonly name = 'webgpu';
  readonly precision = 'float32';
  readonly limits: BackendLimits;
  readonly #device: GPUDevice;
  readonly #owned: boolean;
  readonly #storageBuffers: number;
  readonly #order: CallOrder = callOrder();
  readonly #pool: BufferPool;
  readonly #staging: BufferPool;
  readonly #pipelines: Pipelines;
  readonly #storages = new Map<Storage, GPUBuffer>();
  readonly #prepared = new Set<PreparedProgram>();
  #live = 0;
  #state: Backend['state'] = 'alive';
  #lossReason = '';
  #disposal: Promise<void> | undefined;
  /** A buffer that the device could not make; the next run or read reports it. */
  #deviceFailure: GradPackError | undefined;

  constructor({ device, owned, memory, bindingBytes, storageBuffers }: DeviceBackendOptions) {
    const { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage } = device.limits;
    // bindings are counted in elements of four bytes
    const tensorBytes = Math.floor((bindingBytes ?? Math.min(maxStorageBufferBindingSize, maxBufferSize)) / 4) * 4;
    this.limits = { tensorBytes, columnBytes: Math.floor(tensorBytes / 2), memory: memory ?? maxBufferSize };
    this.#device = device;
    this.#owned = owned;
    this.#storageBuffers = storageBuffers ?? maxStorageBuffersPerShaderStage;
    const { storage, copySource, copyTarget, mapRead } = BUFFER_USAGE;
    const onFailure = (error: GPUError, bytes: number): void => {
      this.#deviceFailure = outOfMemory('the device has no memory left', 'webgpu allocate', 'a buffer', bytes, error);
    };
    this.#pool = bufferPool(device, {
      usage: storage | copySource | copyTarget,
      capBytes: this.limits.memory,
      label: 'gradpack storage',
      onFailure,
    });
    this.#staging = bufferPool(device, {
      usage: mapRead | copyTarget,
      capBytes: this.limits.memory / 4,
      label: 'gradpack staging',
      onFailure,
    });
    this.#pipelines = pipelines(device);
    // a device that was handed in may outlive many backends, which its promise must not hold
    const self = new WeakRef(this);
    void device.lost.then(({ reason, message }) => {
      const backend = self.deref();
      if (backend) backend.#lose(message || reason || 'unknown');
    });
  }

  #lose(reason: string): void {
    if (this.#state === 'disposed') return;
    this.#state = 'lost';
    this.#lossReason = reason;
  }

  get state(): Backend['state'] {
    return this.#state;
  }

  allocate(dtype: Dtype, length: number): Storage {
    this.#assertAlive('allocate');
    assertFloat32(dtype, 'webgpu allocate');
    assertBufferSize(this.#device, length * 4, 'webgpu allocate');
    const storage: Storage = Object.freeze({ dtype, length });
    this.#storages.set(storage, this.#pool.take(length * 4));
    this.#live += length * 4;
    return storage;
  }

  release(storage: Storage): void {
    if (this.#state === 'disposed') return;
    const buffer = this.#bufferOf(storage, 'release');
    this.#storages.delete(storage);
    this.#live -= storage.length * 4;
    this.#order.push(() => this.#pool.give(buffer));
  }

  write(storage: Storage, data: ArrayLike<number>): void {
    this.#assertAlive('write');
    const buffer = this.#bufferOf(storage, 'write');
    if (data.length > storage.length)
      throw new GradPackError('GRADPACK-SHAPE', 'more numbers were written than the storage holds', {
        where: 'webgpu write',
        expected: `at most ${storage.length} numbers`,
        got: `${data.length} numbers`,
        fix: 'allocate as many elements as are written',
      });
    // the queue copies what it is given, so only data that must wait or be converted is copied here
    const asIs =
      !this.#order.busy && (storage.dtype === 'int32' ? data instanceof Int32Array : data instanceof Float32Array);
    const numbers = asIs
      ? (data as TypedArray)
      : storage.dtype === 'int32'
        ? new Int32Array(data)
        : new Float32Array(data);
    this.#order.push(() => {
      if (this.#state === 'alive') this.#device.queue.writeBuffer(buffer, 0, numbers);
    });
  }

  async read(ranges: readonly StorageRange[]): Promise<readonly TypedArray[]> {
    this.#assertAlive('read');
    const onDevice = ranges.map(({ storage, offset, length }) => {
      const buffer = this.#bufferOf(storage, 'read');
      if (offset < 0 || length < 0 || offset + length > storage.length)
        throw new GradPackError('GRADPACK-SHAPE', 'a read reaches beyond its storage', {
          where: 'webgpu read',
          expected: `a range within ${storage.length} elements`,
          got: `${length} elements from ${offset}`,
          fix: 'read only what was allocated',
        });
      return { buffer, dtype: storage.dtype, offset, length };
    });
    const arrays = await this.#queued('read', () => readRanges(this.#device, onDevice, this.#staging));
    try {
      const copies = await arrays();
      this.#throwDeviceFailure();
      return copies;
    } catch (cause) {
      throw await this.#explain('read', cause);
    }
  }

  prepare(program: Program): Prepared {
    this.#assertAlive('prepare');
    for (const { dtype, length } of [...program.buffers, ...program.slots]) {
      assertFloat32(dtype, 'webgpu prepare');
      assertBufferSize(this.#device, length * 4, 'webgpu prepare');
    }
    const lowered = lowerProgram(program, {
      storageBuffers: this.#storageBuffers,
      bindingBytes: this.limits.tensorBytes,
      alignment: this.#device.limits.minStorageBufferOffsetAlignment,
    });
    for (const length of lowered.temporarySlots) assertBufferSize(this.#device, length * 4, 'webgpu prepare');
    const prepared = prepareProgram(this.#device, program, lowered, this.#pipelines, this.#pool, (free) => {
      this.#prepared.delete(prepared);
      this.#order.push(free);
    });
    this.#prepared.add(prepared);
    return prepared;
  }

  async run(prepared: Prepared, bindings: readonly (Storage | undefined)[], options: RunOptions = {}): Promise<void> {
    this.#assertAlive('run');
    const own = this.#prepared.has(prepared as PreparedProgram) ? (prepared as PreparedProgram) : undefined;
    if (!own)
      throw new GradPackError('GRADPACK-DISPOSED', 'a program was run that is not prepared on this backend', {
        where: 'webgpu run',
        fix: 'prepare the program on this backend, and do not run it after it was disposed',
      });
    const bound = this.#bind(prepared.program, bindings);
    options.abort?.throwIfAborted();
    const submitted: Promise<unknown>[] = [];
    const start = (): void | Promise<void> => {
      if (own.failure !== undefined) throw own.failure;
      this.#assertAlive('run');
      options.abort?.throwIfAborted();
      return submitProgram(this.#device, { prepared: own, bound, options }, this.#pool, (encode) => {
        const done = submitScoped(this.#device, encode);
        done.catch(() => undefined); // reported below, except after an abort
        submitted.push(done);
      });
    };
    try {
      await this.#queued('run', () => (own.compiling ? own.compiling.then(start) : start()));
      await Promise.all(submitted);
      this.#throwDeviceFailure();
    } catch (cause) {
      if (options.abort?.aborted && cause === options.abort.reason) throw cause;
      throw await this.#explain('run', cause);
    }
    if (this.#state === 'lost') this.#assertAlive('run');
  }

  memory(): BackendMemory {
    return { live: this.#live, pooled: this.#pool.pooledBytes + this.#staging.pooledBytes, plans: this.#prepared.size };
  }

  dispose(): Promise<void> {
    this.#disposal ??= this.#free();
    return this.#disposal;
  }

  async #free(): Promise<void> {
    this.#state = 'disposed';
    await this.#order.idle();
    for (const prepared of [...this.#prepared]) prepared.dispose();
    this.#pool.close();
    this.#staging.close();
    for (const buffer of this.#storages.values()) buffer.destroy();
    this.#storages.clear();
    this.#live = 0;
    if (this.#owned) this.#device.destroy();
  }

  /** Runs the operation in call order; rejects where the backend is gone by then. */
  #queued<T>(call: string, operation: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) =>
      this.#order.push(() => {
        try {
          this.#assertAlive(call);
          const result = operation();
          if (result instanceof Promise) return result.then(resolve, reject);
          resolve(result);
        } catch (error) {
          reject(error);
        }
        return undefined;
      }),
    );
  }

  #bind(program: Program, bindings: readonly (Storage | undefined)[]): readonly (GPUBuffer | undefined)[] {
    return program.buffers.map(({ role, length, dtype }, index) => {
      if (role === 'scratch' || role === 'constant') return undefined;
      const storage = bindings[index];
      if (storage && storage.length >= length && storage.dtype === dtype) return this.#bufferOf(storage, 'run');
      throw new GradPackError('GRADPACK-INTERNAL', `buffer ${index} of a program is not bound`, {
        where: 'webgpu run',
        expected: `a storage of at least ${length} elements of ${dtype} (${role})`,
        got: storage ? `${storage.length} elements of ${storage.dtype}` : 'nothing',
        fix: 'this is a defect of what runs the program; please report it',
      });
    });
  }

  #bufferOf(storage: Storage, call: string): GPUBuffer {
    const buffer = this.#storages.get(storage);
    if (buffer) return buffer;
    if (this.#state === 'lost') this.#assertAlive(call);
    throw new GradPackError(
      'GRADPACK-DISPOSED',
      'storage was used after its release, or on a backend that did not make it',
      {
        where: `webgpu ${call}`,
        fix: 'use storage on the backend that allocated it, and release it once',
      },
    );
  }

  #assertAlive(call: string): void {
    switch (this.#state) {
      case 'alive':
        return;
      case 'disposed':
        throw disposed(`webgpu ${call}`);
      case 'lost':
        throw lost(`webgpu ${call}`, this.#lossReason);
      default:
        this.#state satisfies never;
    }
  }

  #takeDeviceFailure(): GradPackError | undefined {
    const failure = this.#deviceFailure;
    this.#deviceFailure = undefined;
    return failure;
  }

  #throwDeviceFailure(): void {
    const failure = this.#takeDeviceFailure();
    if (failure) throw failure;
  }

  /** What the device reported, as a GradPackError: a lost or disposed backend explains most failures. */
  async #explain(call: string, cause: unknown): Promise<unknown> {
    if (cause instanceof GradPackError) return cause;
    if (this.#deviceFailure) return this.#takeDeviceFailure();
    // a device reports its loss a moment after what failed by it
    await new Promise((resolve) => setTimeout(resolve, 0));
    try {
      this.#assertAlive(call);
    } catch (gone) {
      return gone;
    }
    return new GradPackError('GRADPACK-INTERNAL', 'the device refused a command', {
      where: `webgpu ${call}`,
      got: cause instanceof Error ? cause.message : String(cause),
      fix: 'report this with the adapter, and the browser or driver',
      cause,
    });
  }
}

/** Encodes and submits within error scopes; settles when the device has worked it off, rejects with what it complained about. */
async function submitScoped(device: GPUDevice, encode: () => GPUCommandBuffer): Promise<void> {
  device.pushErrorScope('out-of-memory');
  device.pushErrorScope('validation');
  let done: Promise<void> = Promise.resolve();
  let scopes: readonly Promise<GPUError | null>[] = [];
  try {
    device.queue.submit([encode()]);
    done = device.queue.onSubmittedWorkDone();
  } finally {
    scopes = [device.popErrorScope(), device.popErrorScope()];
    for (const scope of scopes) scope.catch(() => undefined); // where encoding threw, nobody waits for them
  }
  const [invalid, exhausted] = await Promise.all([...scopes, done]);
  if (invalid) throw new Error(invalid.message);
  if (exhausted)
    throw outOfMemory('the device has no memory left', 'webgpu run', 'memory for a program', undefined, exhausted);
}
