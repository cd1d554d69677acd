import type { Backend, StorageRange } from '../backend/backend.js';
import { queueOf } from '../engine/queue.js';
import type { TypedArray } from './dtype.js';

interface Batch {
  readonly ranges: StorageRange[];
  readonly done: Promise<readonly TypedArray[]>;
}

const open = new WeakMap<Backend, Batch>();

/** A copy of a range, as what was asked for before leaves it. Reads asked for in one microtask share one transfer. */
export async function readRange(backend: Backend, range: StorageRange): Promise<TypedArray> {
  const batch = open.get(backend) ?? openBatch(backend);
  const at = batch.ranges.push(range) - 1;
  return (await batch.done)[at] as TypedArray;
}

function openBatch(backend: Backend): Batch {
  const ranges: StorageRange[] = [];
  const queue = queueOf(backend);
  const done = queue.addOpen(
    () => backend.read(ranges),
    () => open.delete(backend),
  );
  const batch: Batch = { ranges, done };
  open.set(backend, batch);
  return batch;
}
