import type { Backend, Storage, StorageRange } from '../backend/backend.js';
import type { StepFlag } from '../engine/flag.js';
import { giveBack } from '../engine/memory.js';
import { GradPackError } from '../errors/gradpack-error.js';
import { CORE, type CoreToken } from '../version.js';
import type { Dtype } from './dtype.js';
import { type ArrayInput, flatten, type HostArray } from './host-array.js';
import type { NumberArray } from './number-array.js';
import { readRange } from './read.js';
import { type Shape, showShape, sizeOf } from './shape.js';

/**
 * Numbers on a backend with a shape, row-major. What a step hands out belongs to the step and dies with it; what `tensor` makes
 * is yours to dispose.
 */
export interface Tensor {
  readonly shape: Shape;
  readonly dtype: Dtype;
  readonly backend: Backend;
  /** A copy of the numbers, in `into` if given. Reads asked for in one microtask share one transfer. Throws GRADPACK-DISPOSED. */
  data(into?: NumberArray): Promise<NumberArray>;
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
  /** What must not be collected before the tensor is: its step's memory. */
  keeps?: object;
  /** Of the step that made it: raised, its numbers mean nothing and updates by them do nothing. */
  flag?: StepFlag;
}

/** A tensor of storage that somebody else owns; `owner` is named when it is used after its end. */
export function tensorAt(
  backend: Backend,
  storage: Storage,
  shape: Shape,
  owner = 'the tensor',
  release?: () => void,
  bounds?: TensorPlace['bounds'],
): Tensor {
  const range: StorageRange = { storage, offset: 0, length: sizeOf(shape) };
  const place: TensorPlace = { storage, disposed: false, ...(bounds && { bounds }) };
  const alive = (where: string): void => {
    if (place.disposed)
      throw new GradPackError('GRADPACK-DISPOSED', `${owner} was disposed`, {
        where,
        expected: 'a tensor that is alive',
        got: `one of shape ${showShape(shape)} that was disposed`,
        fix: 'read before dispose(), or keep the copy that data() gives',
      });
  };
  return {
    shape,
    dtype: storage.dtype,
    backend,
    async data(into) {
      alive('tensor.data');
      const [data] = await Promise.all([readRange(backend, range), place.flag?.check()]);
      if (!into) return data;
      if (into.length !== data.length)
        throw new GradPackError('GRADPACK-SHAPE', 'the array to read into has the wrong length', {
          where: 'tensor.data',
          expected: data.length,
          got: into.length,
          fix: `pass a typed array of ${data.length} entries`,
        });
      into.set(data);
      return into;
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
  return tensorAt(
    backend,
    storage,
    flat.shape,
    'the tensor',
    () => giveBack(backend, [storage]),
    ids ? boundsOf(flat.data) : undefined,
  );
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
