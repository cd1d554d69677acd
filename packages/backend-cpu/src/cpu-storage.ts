import type { Storage, TypedArray } from '@gradpack/core';
import { GradPackError } from '@gradpack/core';

/** Storage of one cpu backend: a pooled array of at least `length` elements. */
export interface CpuStorage extends Storage {
  /** The backend that made it. */
  readonly owner: object;
  readonly array: TypedArray;
  released: boolean;
}

/** The storage as this backend's own. Throws where it is another's, or was released. */
export function ownStorage(storage: Storage, owner: object, where: string): CpuStorage {
  if (!('owner' in storage) || storage.owner !== owner)
    throw new GradPackError('GRADPACK-MIXED-BACKENDS', 'storage of another backend was handed to this one', {
      where,
      expected: 'storage that this backend allocated',
      got: 'storage of another backend',
      fix: 'read the numbers and write them to storage of this backend',
    });
  const own = storage as CpuStorage;
  if (own.released)
    throw new GradPackError('GRADPACK-DISPOSED', 'storage was used after its release', {
      where,
      expected: 'storage that was not released',
      got: `released storage of ${own.length} × ${own.dtype}`,
      fix: 'release storage once, after its last use',
    });
  return own;
}

/** Elements [offset, offset + length) without a copy. */
export function rangeOf(storage: CpuStorage, offset: number, length: number, where: string): TypedArray {
  if (!(offset >= 0 && length >= 0 && offset + length <= storage.length))
    throw new GradPackError('GRADPACK-INTERNAL', 'a range lies outside its storage', {
      where,
      expected: `a range within ${storage.length} elements`,
      got: `offset ${offset}, length ${length}`,
      fix: 'report it as a defect of GradPack',
    });
  return storage.array.subarray(offset, offset + length);
}
