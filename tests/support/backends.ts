import { cpu } from '@gradpack/backend-cpu';
import { isNativeAvailable, native } from '@gradpack/backend-native';
import type { Backend } from '@gradpack/core';
import { FLOAT32, type Tolerance } from './tolerance.js';

/** A backend that tests run on, with what it promises for these small nets. */
export interface TestedBackend {
  readonly name: string;
  readonly tolerance: Tolerance;
  /** Why it cannot run here. */
  readonly missing?: string;
  make(): Promise<Backend>;
}

export const CPU64: TestedBackend = {
  name: 'cpu float64',
  tolerance: { golden: () => 1e-9, truth: () => 1e-10 },
  make: async () => cpu({ precision: 'float64' }),
};
const CPU32: TestedBackend = { name: 'cpu float32', tolerance: FLOAT32, make: async () => cpu() };

/** The backends of Node; WebGPU has its own test project. With poisoned buffers, which only cpu can have, cpu float64 alone. */
export function nodeBackends(): readonly TestedBackend[] {
  if (process.env.GRADPACK_POISON === '1') return [CPU64];
  const available = isNativeAvailable();
  const NATIVE: TestedBackend = {
    name: available === true ? 'native' : `native, left out: ${available}`,
    tolerance: FLOAT32,
    make: () => native({ threads: 2 }),
    ...(available !== true && { missing: String(available) }),
  };
  return [CPU64, CPU32, NATIVE];
}

/** The backend with another limit for column tensors. */
export function withColumnBytes(backend: Backend, columnBytes: number): Backend {
  return { ...backend, limits: { ...backend.limits, columnBytes } };
}
