import type { Kernel, KernelCall, Program, TypedArray } from '@gradpack/core';
import { typedArrayOf } from '@gradpack/core';
import { cpu } from '../src/index.js';

/** What an operand holds before the call: floats, or ids. */
export type Values = readonly number[] | { readonly ids: readonly number[] };

/** Runs one call on cpu float64 with poisoned memory and gives what its writes hold afterwards. */
export async function runKernel<Name extends keyof Kernel>(
  kernel: Name,
  spec: Kernel[Name],
  reads: readonly Values[],
  writes: readonly Values[],
): Promise<number[][]> {
  const backend = cpu({ precision: 'float64', poison: true });
  const arrays = [...reads, ...writes].map(
    (v): TypedArray => ('ids' in v ? typedArrayOf('int32', v.ids) : typedArrayOf('float64', v)),
  );
  const buffers = arrays.map((a) => ({
    dtype: a instanceof Int32Array ? ('int32' as const) : ('float64' as const),
    length: a.length,
    role: 'parameter' as const,
    first: 0,
    last: 0,
  }));
  const operands = arrays.map((_, buffer) => ({ buffer, offset: 0 }));
  const call = { kernel, spec, reads: operands.slice(0, reads.length), writes: operands.slice(reads.length) };
  const program: Program = {
    buffers,
    slots: [],
    calls: [call as unknown as KernelCall],
    bytes: { scratch: 0, kept: 0, results: 0 },
  };
  const storages = buffers.map(({ dtype, length }) => backend.allocate(dtype, length));
  for (const [i, storage] of storages.entries()) backend.write(storage, arrays[i]!);
  await backend.run(backend.prepare(program), storages);
  const results = await backend.read(
    storages.slice(reads.length).map((storage) => ({ storage, offset: 0, length: storage.length })),
  );
  backend.dispose();
  return results.map((array) => Array.from(array));
}

/** A result before its call: it must not matter. */
export const garbage = (length: number): number[] => new Array<number>(length).fill(Number.NaN);
export const garbageIds = (length: number): Values => ({ ids: new Array<number>(length).fill(-9) });
