import { open } from 'node:fs/promises';
import type { Floats, Integers } from '../data.js';
import type { Arrays } from '../implementation.js';

/** What lies in a file of arrays, one after another: see `peers/python/arrays.py`. */
export interface Entry {
  readonly name: string;
  readonly length: number;
}

export interface TypedEntry extends Entry {
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
}

export async function writeArrays(
  path: string,
  arrays: readonly (readonly [name: string, array: Floats | Integers])[],
): Promise<readonly TypedEntry[]> {
  const file = await open(path, 'w');
  try {
    for (const [, { data }] of arrays)
      await file.writeFile(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  } finally {
    await file.close();
  }
  return arrays.map(([name, { data, shape }]) => ({
    name,
    shape,
    length: data.length,
    dtype: data instanceof Int32Array ? 'int32' : 'float32',
  }));
}

/** Of float32. */
export async function readArrays(path: string, index: readonly Entry[]): Promise<Arrays> {
  const arrays = new Map<string, Float32Array>();
  const file = await open(path);
  try {
    for (const { name, length } of index) {
      const array = new Float32Array(length);
      const { bytesRead } = await file.read(array);
      if (bytesRead !== array.byteLength) throw new Error(`${path} ends within ${name}`);
      arrays.set(name, array);
    }
  } finally {
    await file.close();
  }
  return arrays;
}
