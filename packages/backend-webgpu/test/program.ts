import type { Backend, KernelCall, Program, ProgramBuffer, Storage, TypedArray } from '@gradpack/core';

/** A buffer of a small program: its numbers at the start, or its length. */
export interface TestBuffer {
  readonly role?: ProgramBuffer['role'];
  readonly dtype?: 'float32' | 'int32';
  readonly values: readonly number[];
}

export function programOf(buffers: readonly TestBuffer[], calls: readonly KernelCall[]): Program {
  return {
    buffers: buffers.map(({ role = 'parameter', dtype = 'float32', values }) => ({
      dtype,
      length: values.length,
      role,
      first: 0,
      last: calls.length - 1,
    })),
    slots: [],
    calls,
    bytes: { scratch: 0, kept: 0, results: 0 },
  };
}

/** Runs the calls over the buffers and gives what they hold afterwards. */
export async function runProgram(
  backend: Backend,
  buffers: readonly TestBuffer[],
  calls: readonly KernelCall[],
): Promise<readonly TypedArray[]> {
  const prepared = backend.prepare(programOf(buffers, calls));
  const storages: Storage[] = [];
  try {
    for (const { dtype = 'float32', values } of buffers) {
      const storage = backend.allocate(dtype, values.length);
      storages.push(storage);
      backend.write(storage, values);
    }
    await backend.run(prepared, storages);
    return await backend.read(storages.map((storage) => ({ storage, offset: 0, length: storage.length })));
  } finally {
    for (const storage of storages) backend.release(storage);
    prepared.dispose();
  }
}
