import type { Program, Storage, TypedArray } from '@gradpack/core';
import { GradPackError } from '@gradpack/core';
import type { Handle } from './addon-interface.js';
import { type NativeStorage, ownStorage } from './native-storage.js';

/** A program in the addon. */
export interface PreparedProgram {
  readonly program: Program;
  readonly handle: Handle;
  /** Constants by buffer, in storage of their own. */
  readonly constants: ReadonlyMap<number, NativeStorage>;
  /** One handle per buffer, filled in for each run: the addon places scratch buffers itself, which have −1. */
  readonly handles: Float64Array<ArrayBuffer>;
  /** What its next run is expected to take: the addon's guess at first. */
  seconds: number;
  /** What its last run took. */
  last: number;
}

/** Fills in storage for each constant of the program, made by `store`. */
export function storeConstants(
  program: Program,
  store: (data: TypedArray) => NativeStorage,
  constants: Map<number, NativeStorage>,
): void {
  program.buffers.forEach(({ role, data, dtype, length }, index) => {
    if (role !== 'constant') return;
    if (!data || data.length !== length)
      throw new GradPackError('GRADPACK-INTERNAL', `constant ${index} of a program has no data that fits`, {
        where: 'backend.prepare',
        expected: `${length} × ${dtype}`,
        got: data ? `${data.length} numbers` : 'nothing',
        fix: 'report it as a defect of GradPack',
      });
    constants.set(index, store(data));
  });
}

/** The shorter of the last two runs counts: a run that lost its core for a moment does not send the next one to another thread. */
export function measured(program: PreparedProgram, seconds: number): void {
  program.seconds = Math.min(program.last, seconds);
  program.last = seconds;
}

/** The handles of a program before a run binds storage. */
export function unboundHandles(
  { buffers }: Program,
  constants: PreparedProgram['constants'],
): Float64Array<ArrayBuffer> {
  return Float64Array.from(buffers, (_, index) => constants.get(index)?.handle ?? -1);
}

/** Fills in `handles` for one run. Throws where a binding is missing or does not fit. */
export function bindHandles(
  { buffers }: Program,
  bindings: readonly (Storage | undefined)[],
  owner: object,
  handles: Float64Array,
): void {
  for (let index = 0; index < buffers.length; index++) {
    const { role, dtype, length } = buffers[index] as Program['buffers'][number];
    if (role === 'scratch' || role === 'constant') continue;
    const storage = bindings[index];
    const own = storage && ownStorage(storage, owner, 'backend.run');
    if (!own || own.dtype !== dtype || own.length < length)
      throw new GradPackError('GRADPACK-INTERNAL', `buffer ${index} (${role}) is not bound to storage that fits`, {
        where: 'backend.run',
        expected: `${length} × ${dtype}`,
        got: own ? `${own.length} × ${own.dtype}` : 'nothing',
        fix: 'bind storage for every buffer that is neither scratch nor constant, recorded in the precision of the backend',
      });
    handles[index] = own.handle;
  }
}
