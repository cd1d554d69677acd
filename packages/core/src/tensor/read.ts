import type { Backend, StorageRange } from '../backend/backend.js';
import { queueOf } from '../engine/queue.js';
import type { TypedArray } from './dtype.js';

interface Batch {
  readonly ranges: StorageRange[];
  /** Ranges whose storage ends with the reading. */
  readonly taken: StorageRange[];
  readonly done: Promise<readonly [read: readonly TypedArray[], taken: readonly TypedArray[]]>;
}

const open = new WeakMap<Backend, Batch>();
/** Of buffers that were taken: the backend that may have them back. */
const givers = new WeakMap<ArrayBufferLike, Backend>();

/** A copy of a range, as what was asked for before leaves it. Reads asked for in one microtask share one transfer. */
export async function readRange(backend: Backend, range: StorageRange): Promise<TypedArray> {
  const batch = open.get(backend) ?? openBatch(backend);
  const at = batch.ranges.push(range) - 1;
  return (await batch.done)[0][at] as TypedArray;
}

/** The same, and the range's storage is released with it, by nobody else: the numbers may be its memory. */
export async function takeRange(backend: Backend, range: StorageRange): Promise<TypedArray> {
  const batch = open.get(backend) ?? openBatch(backend);
  const at = batch.taken.push(range) - 1;
  return (await batch.done)[1][at] as TypedArray;
}

/** Gives a buffer that was taken back to its backend, where that can use it. */
export function recycleBuffer(buffer: ArrayBufferLike): void {
  const backend = givers.get(buffer);
  if (!givers.delete(buffer)) return;
  if (backend?.state === 'alive') backend.recycle?.(buffer);
}

function openBatch(backend: Backend): Batch {
  const ranges: StorageRange[] = [];
  const taken: StorageRange[] = [];
  const queue = queueOf(backend);
  const done = queue.addOpen(
    () => transfer(backend, ranges, taken),
    () => open.delete(backend),
  );
  const batch: Batch = { ranges, taken, done };
  open.set(backend, batch);
  return batch;
}

async function transfer(
  backend: Backend,
  ranges: readonly StorageRange[],
  taken: readonly StorageRange[],
): Promise<readonly [read: readonly TypedArray[], taken: readonly TypedArray[]]> {
  if (backend.take && taken.length > 0) {
    const [copies, given] = await Promise.all([ranges.length > 0 ? backend.read(ranges) : [], backend.take(taken)]);
    if (backend.recycle) for (const { buffer } of given) givers.set(buffer, backend);
    return [copies, given];
  }
  const reading = backend.read([...ranges, ...taken]);
  if (backend.state === 'alive') for (const { storage } of taken) backend.release(storage);
  const copies = await reading;
  return [copies, copies.slice(ranges.length)];
}
