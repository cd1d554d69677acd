import type { Backend, RunOptions, Storage } from '../backend/backend.js';
import type { RecordedBuffer, TensorRef } from '../backend/tensor-ref.js';
import { GradPackError } from '../errors/gradpack-error.js';
import type { Parameter } from '../module/parameter.js';
import type { Dtype } from '../tensor/dtype.js';
import type { Compiled } from './compiled.js';
import type { Given } from './host-input.js';
import { giveBack } from './memory.js';
import { queueOf } from './queue.js';

/**
 * One run of a program: what it is bound to, by recorded buffer. Numbers from the host are put in fresh storage, which is given back
 * after the run; results and kept buffers get fresh storage when the run starts.
 */
export class Run {
  readonly storages: Map<RecordedBuffer, Storage>;
  readonly #backend: Backend;
  /** Whether what products read later is new here, or comes from an earlier run. */
  readonly #keeps: boolean;
  #uploads: Storage[] = [];
  #kept: Storage[] = [];

  constructor(backend: Backend, storages: ReadonlyMap<RecordedBuffer, Storage> = new Map()) {
    this.#backend = backend;
    this.storages = new Map(storages);
    this.#keeps = this.storages.size === 0;
  }

  storageOf({ buffer }: TensorRef): Storage {
    return this.storages.get(buffer) as Storage;
  }

  /** Binds an input: the tensor's own storage, or a copy of host numbers. */
  input({ buffer }: TensorRef, x: Given, dtype: 'float' | 'int32'): void {
    if ('tensor' in x) this.storages.set(buffer, x.tensor['~place'].storage);
    else this.#upload(buffer, dtype === 'int32' ? 'int32' : this.#backend.precision, x.host.data);
  }
  /** Binds a few numbers. */
  scalar({ buffer, dtype }: TensorRef, values: readonly number[]): void {
    this.#upload(buffer, dtype, values);
  }
  storage({ buffer }: TensorRef, storage: Storage): void {
    this.storages.set(buffer, storage);
  }
  parameters(parameters: ReadonlyMap<Parameter, TensorRef>, nameOf: (parameter: Parameter) => string): void {
    for (const [parameter, { buffer }] of parameters)
      this.storages.set(buffer, parameter['~state'].storage(this.#backend, nameOf(parameter)));
  }

  /** What was uploaded so far outlives the run, and belongs to the caller when it succeeds. */
  keepUploads(): readonly Storage[] {
    this.#kept = this.#uploads;
    this.#uploads = [];
    return this.#kept;
  }

  /** Gives back what was uploaded: the run will not happen. */
  cancel(): void {
    this.#release([...this.#uploads, ...this.#kept]);
  }

  /** Queues the run; returns at once where it has already happened. When it fails, everything that was allocated for it is given back. */
  start({ plan, prepared }: Compiled, options?: RunOptions): Promise<void> | void {
    const { bound, program } = plan.recorded;
    const fresh: Storage[] = [];
    const task = (): Promise<void> | void => {
      const storages = bound.map((buffer, i) => {
        if (!buffer) return undefined;
        const known = this.storages.get(buffer);
        if (known) return known;
        const { dtype, length, role } = program.buffers[i] as (typeof program.buffers)[number];
        if (role !== 'result' && !(role === 'kept' && this.#keeps))
          throw new GradPackError(
            'GRADPACK-INTERNAL',
            `a program reads a buffer (${role}) that its step does not have`,
            {
              where: 'engine',
              fix: 'report this with the model and quantities that show it; a layer that makes tensors lazily, after linearize, does it too',
            },
          );
        const storage = this.#backend.allocate(dtype, length);
        fresh.push(storage);
        this.storages.set(buffer, storage);
        return storage;
      });
      return this.#backend.run(prepared, storages, options);
    };
    const fail = (error: unknown): never => {
      this.#release([...fresh, ...this.#uploads, ...this.#kept]);
      throw error;
    };
    try {
      const running = queueOf(this.#backend).add(task);
      if (running instanceof Promise) return running.then(() => this.#release(this.#uploads), fail);
    } catch (error) {
      fail(error);
    }
    this.#release(this.#uploads);
  }

  #upload(buffer: RecordedBuffer, dtype: Dtype, values: ArrayLike<number>): void {
    const storage = this.#backend.allocate(dtype, Math.max(1, values.length));
    this.#uploads.push(storage);
    this.#backend.write(storage, values);
    this.storages.set(buffer, storage);
  }
  #release(storages: readonly Storage[]): void {
    giveBack(this.#backend, storages);
  }
}
