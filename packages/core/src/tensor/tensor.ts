import type { Backend, Storage, StorageRange } from '../backend/backend.js';
import type { StepFlag } from '../engine/flag.js';
import { giveBack } from '../engine/memory.js';
import { GradPackError } from '../errors/gradpack-error.js';
import { CORE, type CoreToken } from '../version.js';
import { type Dtype, isTypedArray } from './dtype.js';
import { type ArrayInput, flatten, type HostArray } from './host-array.js';
import type { NumberArray } from './number-array.js';
import { readRange, takeRange } from './read.js';
import { type Shape, showShape, sizeOf } from './shape.js';

/**
 * Numbers on a backend with a shape, row-major. What a step hands out belongs to the step and dies with it; what `tensor` makes
 * is yours to dispose.
 */
export interface Tensor {
  readonly shape: Shape;
  readonly dtype: Dtype;
  readonly backend: Backend;
  /**
   * A copy of the numbers, in `into` if given, which saves fresh memory in each step of a loop. Reads asked for in one microtask share
   * one transfer. Throws GRADPACK-DISPOSED; GRADPACK-SHAPE where `into` has another length.
   */
  data(into?: NumberArray): Promise<NumberArray>;
  /**
   * The numbers, and the tensor is disposed: nothing else can use it from now on. The native backend hands its memory over without a
   * copy and has it back when the array is garbage, so it is the fastest way to an array of one's own. Such an array cannot be
   * *transferred* to another thread (`postMessage` with a transfer list); what `data()` gives can. Throws GRADPACK-DISPOSED.
   *
   * @example
   * using step = await net.backward(x, y, { individual: batchGrad() });
   * const rows = await step.individual.get('0.weight').take(); // [N, out, in]
   */
  take(): Promise<NumberArray>;
  /** The numbers without a copy, valid until dispose (cpu and native). Throws GRADPACK-OPTION where the backend has none. */
  view(): NumberArray;
  /** Gives the memory back. Nothing happens the second time. */
  dispose(): void;
  readonly '~core': CoreToken;
  readonly '~place': TensorPlace;
}

/** What the engine knows of a tensor. */
export interface TensorPlace {
  readonly storage: Storage;
  /** Smallest and largest entry, where the numbers came from the host as int32. */
  readonly bounds?: { readonly min: number; readonly max: number };
  disposed: boolean;
  /** Whether `take` disposed it. */
  taken?: boolean;
  /** Leaves the storage to who calls: `release` will not give it back. False where others may read it; absent: they always may. */
  readonly surrender?: (() => boolean) | undefined;
  /** What must not be collected before the tensor is: its step's memory. */
  keeps?: object;
  /** Of the step that made it: raised, its numbers mean nothing and updates by them do nothing. */
  flag?: StepFlag;
}

/** What a tensor of a storage has beside numbers and shape. */
interface TensorParts extends Pick<TensorPlace, 'bounds' | 'surrender'> {
  /** Called on dispose. */
  readonly release?: (() => void) | undefined;
}

/** A tensor of storage that somebody else owns; `owner` is named when it is used after its end. */
export function tensorAt(
  backend: Backend,
  storage: Storage,
  shape: Shape,
  owner = 'the tensor',
  { release, surrender, bounds }: TensorParts = {},
): Tensor {
  const range: StorageRange = { storage, offset: 0, length: sizeOf(shape) };
  const place: TensorPlace = { storage, disposed: false, surrender, ...(bounds && { bounds }) };
  const alive = (where: string): void => {
    if (place.disposed)
      throw new GradPackError('GRADPACK-DISPOSED', place.taken ? 'the tensor was taken' : `${owner} was disposed`, {
        where,
        expected: 'a tensor that is alive',
        got: `one of shape ${showShape(shape)} that was ${place.taken ? 'taken' : 'disposed'}`,
        fix: place.taken
          ? 'use the array that take() gave, or data(), which copies and leaves the tensor'
          : 'read before dispose(), or keep the copy that data() gives',
      });
  };
  return {
    shape,
    dtype: storage.dtype,
    backend,
    async data(into) {
      alive('tensor.data');
      if (into && into.length !== range.length)
        throw new GradPackError('GRADPACK-SHAPE', 'the array to read into has the wrong length', {
          where: 'tensor.data',
          expected: range.length,
          got: into.length,
          fix: `pass a typed array of ${range.length} entries`,
        });
      const direct = isTypedArray(into, storage.dtype) ? { ...range, into } : range;
      const [data] = await Promise.all([readRange(backend, direct), place.flag?.check()]);
      if (!into) return data;
      if (data !== into) into.set(data);
      return into;
    },
    async take() {
      alive('tensor.take');
      const own = surrender?.() ?? false;
      const reading = Promise.all([(own ? takeRange : readRange)(backend, range), place.flag?.check()]);
      place.disposed = place.taken = true;
      release?.();
      return (await reading)[0];
    },
    view() {
      alive('tensor.view');
      if (!backend.view)
        throw new GradPackError('GRADPACK-OPTION', `${backend.name} has no view of its memory`, {
          where: 'tensor.view',
          expected: 'a backend whose memory is the host’s (cpu, native)',
          got: backend.name,
          fix: 'use await tensor.data()',
        });
      return backend.view(range);
    },
    dispose() {
      if (place.disposed) return;
      place.disposed = true;
      release?.();
    },
    '~core': CORE,
    '~place': place,
  };
}

/** A tensor's, which owns its storage: the first of these. The others are given back with it. */
export function ownership(backend: Backend, storages: Storage[]): Pick<TensorParts, 'release' | 'surrender'> {
  return {
    release: () => giveBack(backend, storages),
    surrender: () => storages.shift() !== undefined,
  };
}

/**
 * Puts numbers on a backend: float unless the data is an Int32Array.
 *
 * @param data nested arrays, a typed array, or `{ data, shape }`
 * @throws GRADPACK-SHAPE where rows differ in length or data does not fill its shape
 * @example
 * const x = tensor(backend, [[1, 2], [3, 4]]);
 */
export function tensor(backend: Backend, data: ArrayInput, shape?: Shape): Tensor {
  const given = flatten(data, 'tensor');
  const flat = shape ? flatten({ shape, data: given.data }, 'tensor') : given;
  const ids = flat.data instanceof Int32Array;
  const dtype: Dtype = ids ? 'int32' : backend.precision;
  const storage = backend.allocate(dtype, Math.max(1, flat.data.length));
  backend.write(storage, flat.data);
  return tensorAt(backend, storage, flat.shape, 'the tensor', {
    ...ownership(backend, [storage]),
    ...(ids && { bounds: boundsOf(flat.data) }),
  });
}

/** Whether something is a tensor. */
export function isTensor(x: unknown): x is Tensor {
  return typeof x === 'object' && x !== null && '~place' in x;
}

function boundsOf(data: ArrayLike<number>): { readonly min: number; readonly max: number } {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < data.length; i++) {
    min = Math.min(min, data[i] as number);
    max = Math.max(max, data[i] as number);
  }
  return { min, max };
}

/** A host copy with its shape. */
export async function toHost(x: Tensor): Promise<HostArray> {
  return { shape: x.shape, data: await x.data() };
}

/** The numbers with their shape; the tensor is disposed. */
export async function takeToHost(x: Tensor): Promise<HostArray> {
  return { shape: x.shape, data: await x.take() };
}
