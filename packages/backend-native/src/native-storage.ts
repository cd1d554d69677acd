import type { Storage } from '@gradpack/core';
import { GradPackError } from '@gradpack/core';
import type { Handle } from './addon-interface.js';

/** Storage of one native backend. */
export interface NativeStorage extends Storage {
  /** The backend that made it. */
  readonly owner: object;
  readonly handle: Handle;
  /** The memory itself, once it was asked for. */
  buffer?: ArrayBuffer;
  released: boolean;
}

/** The storage as this backend's own. Throws where it is another's, or was released. */
export function ownStorage(storage: Storage, owner: object, where: string): NativeStorage {
  if (typeof storage !== 'object' || storage === null || !('owner' in storage) || storage.owner !== owner)
    throw new GradPackError('GRADPACK-MIXED-BACKENDS', 'storage of another backend was handed to this one', {
      where,
      expected: 'storage that this backend allocated',
      got: 'storage of another backend',
      fix: 'read the numbers and write them to storage of this backend',
    });
  const own = storage as NativeStorage;
  if (own.released)
    throw new GradPackError('GRADPACK-DISPOSED', 'storage was used after its release', {
      where,
      expected: 'storage that was not released',
      got: `released storage of ${own.length} × ${own.dtype}`,
      fix: 'release storage once, after its last use',
    });
  return own;
}

/** Throws where elements [offset, offset + length) are not all in the storage. */
export function assertRange(storage: Storage, offset: number, length: number, where: string): void {
  const whole = Number.isInteger(offset) && Number.isInteger(length);
  if (whole && offset >= 0 && length >= 0 && offset + length <= storage.length) return;
  throw new GradPackError('GRADPACK-INTERNAL', 'a range lies outside its storage', {
    where,
    expected: `a range within ${storage.length} elements`,
    got: `offset ${offset}, length ${length}`,
    fix: 'report it as a defect of GradPack',
  });
}
