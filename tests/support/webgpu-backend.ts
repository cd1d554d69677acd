import { webgpu } from '@gradpack/backend-webgpu';
import type { Backend } from '@gradpack/core';

/** The one device of a test file; undefined on a machine without an adapter, where the software GPU is not installed either. */
export async function webgpuBackend(): Promise<Backend | undefined> {
  const isRequired = import.meta.env.GRADPACK_SOFTWARE_GPU === '1';
  return webgpu().catch((reason: unknown) => {
    if (isRequired) throw reason;
    return undefined;
  });
}
