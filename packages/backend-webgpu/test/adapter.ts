import { webgpu } from '@gradpack/backend-webgpu';
import type { Backend } from '@gradpack/core';

/** Whether a test can have a device: with the software GPU an adapter must be there, elsewhere a machine without one skips. */
export async function hasAdapter(): Promise<boolean> {
  if (import.meta.env.GRADPACK_SOFTWARE_GPU === '1') return true;
  const backend = await webgpu().catch(() => undefined);
  await backend?.dispose();
  return backend !== undefined;
}

/** Disposes what `make` gives when the test is over, also when it fails. */
export async function withBackend(
  test: (backend: Backend) => Promise<void>,
  make: () => Promise<Backend> = webgpu,
): Promise<void> {
  const backend = await make();
  try {
    await test(backend);
  } finally {
    await backend.dispose();
  }
}
