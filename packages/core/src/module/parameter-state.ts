import type { Backend, Storage } from '../backend/backend.js';
import { giveBack } from '../engine/memory.js';
import { queueOf } from '../engine/queue.js';
import { GradPackError } from '../errors/gradpack-error.js';
import type { TypedArray } from '../tensor/dtype.js';
import { type ArrayInput, flatten, type HostArray } from '../tensor/host-array.js';
import { readRange } from '../tensor/read.js';
import { type Shape, sameShape, showShape, sizeOf } from '../tensor/shape.js';
import { initialValues } from './initial-values.js';
import type { Initializer } from './initializer.js';

/** What the engine asks of a parameter. An interface, so that the types of two copies of core agree. */
export interface ParameterNumbers {
  version: number;
  /** Draws the initial numbers, if there are none yet. */
  initialize(seed: number, path: string): void;
  /** Moves the numbers to a net's backend; each net that holds the parameter attaches once and detaches once. */
  attach(backend: Backend, name: string): void;
  /** Throws GRADPACK-MIXED-BACKENDS where `attach` would. */
  requireBackend(backend: Backend, name: string): void;
  /** Takes the parameter out of a net; with the last one its memory is given back, and its numbers are copied to the host first. */
  detach(): Promise<void>;
  /** Moves the numbers to a backend, whoever held them; nets on another backend can no longer run. */
  move(backend: Backend): Promise<void>;
  /** Throws GRADPACK-MIXED-BACKENDS where the numbers are not on this backend. */
  storage(backend: Backend, name: string): Storage;
}

/** Where a parameter's numbers are: nowhere yet, on the host, or on the one backend whose nets hold it. */
export class ParameterState implements ParameterNumbers {
  readonly shape: Shape;
  version = 0;
  readonly #initializer: Initializer;
  #host: Float64Array<ArrayBuffer> | undefined;
  #device: { readonly backend: Backend; readonly storage: Storage; nets: number } | undefined;

  constructor(shape: Shape, initializer: Initializer) {
    this.shape = shape;
    this.#initializer = initializer;
  }

  initialize(seed: number, path: string): void {
    if (!this.#device) this.#host ??= initialValues(this.shape, this.#initializer, seed, path);
  }

  requireBackend(backend: Backend, name: string): void {
    if (this.#device && this.#device.backend !== backend) throw mixed(name, this.#device.backend, backend, 'extend');
  }

  attach(backend: Backend, name: string): void {
    this.requireBackend(backend, name);
    if (!this.#device) {
      const storage = backend.allocate(backend.precision, Math.max(1, sizeOf(this.shape)));
      this.#device = { backend, storage, nets: 0 };
      if (this.#host) backend.write(storage, this.#host);
      this.#host = undefined;
    }
    this.#device.nets++;
  }

  async detach(): Promise<void> {
    const device = this.#device;
    if (!device || --device.nets > 0) return;
    const { backend, storage } = device;
    // until the copy is here the numbers stay where they are, and the next net may take them over
    const isFree = (): boolean => this.#device === device && device.nets === 0;
    let copy: TypedArray | undefined;
    for (let version = -1; version !== this.version && isFree() && backend.state === 'alive'; ) {
      version = this.version;
      copy = await readRange(backend, this.#range(storage));
    }
    if (!isFree()) return;
    this.#device = undefined;
    if (copy) this.#host = Float64Array.from(copy);
    giveBack(backend, [storage]);
  }

  async move(backend: Backend): Promise<void> {
    const from = this.#device;
    if (from?.backend === backend) return;
    const data = from ? await readRange(from.backend, this.#range(from.storage)) : this.#host;
    const storage = backend.allocate(backend.precision, Math.max(1, sizeOf(this.shape)));
    if (data) backend.write(storage, data);
    this.#device = { backend, storage, nets: 0 };
    this.#host = undefined;
    this.version++;
    if (from) queueOf(from.backend).add(() => from.backend.release(from.storage));
  }

  storage(backend: Backend, name: string): Storage {
    if (this.#device?.backend !== backend) throw mixed(name, this.#device?.backend, backend, 'net.backward');
    return this.#device.storage;
  }

  set(values: ArrayInput): void {
    const { shape, data } = flatten(values, 'parameter.set');
    const flatOk = shape.length === 1 && data.length === sizeOf(this.shape);
    if (!sameShape(shape, this.shape) && !flatOk)
      throw new GradPackError('GRADPACK-SHAPE', 'the numbers do not fit the parameter', {
        where: 'parameter.set',
        expected: showShape(this.shape),
        got: showShape(shape),
        fix: 'pass numbers of the parameter’s shape, nested or flat',
      });
    const copy = Float64Array.from(data);
    this.version++;
    const device = this.#device;
    if (device) queueOf(device.backend).add(() => device.backend.write(device.storage, copy));
    else this.#host = copy;
  }

  async data(): Promise<HostArray> {
    if (this.#device)
      return { shape: this.shape, data: await readRange(this.#device.backend, this.#range(this.#device.storage)) };
    if (!this.#host)
      throw new GradPackError('GRADPACK-OPTION', 'the parameter has no numbers yet', {
        where: 'parameter.data',
        fix: 'extend the model, or call model.initialize(seed), first',
      });
    return { shape: this.shape, data: this.#host.slice() };
  }

  #range(storage: Storage): { storage: Storage; offset: number; length: number } {
    return { storage, offset: 0, length: sizeOf(this.shape) };
  }
}

function mixed(name: string, has: Backend | undefined, wanted: Backend, where: string): GradPackError {
  return new GradPackError('GRADPACK-MIXED-BACKENDS', `parameter ${name} is not on the net’s backend`, {
    where,
    expected: `a parameter on the ${wanted.name} backend of this net`,
    got: has ? `one on another backend (${has.name})` : 'one on no backend',
    fix: 'use one backend for all nets that share parameters, or await net.dispose() or model.to(backend) and extend the model again',
  });
}
