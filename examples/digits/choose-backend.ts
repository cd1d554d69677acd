import { backend, type ChosenBackend, cpu, native, webgpu } from 'gradpack';
import type { BackendName } from './options.js';

/** What `create` returns must live as long as the process: Dawn aborts when it is collected. */
let gpu: GPU | undefined;

/** The backend of that name, or the best one. */
export async function chooseBackend(name: BackendName): Promise<ChosenBackend> {
  switch (name) {
    case 'auto':
      return backend();
    case 'cpu':
      return { backend: cpu(), reason: 'cpu: plain TypeScript' };
    case 'native': {
      const made = await native();
      return { backend: made, reason: `native: compiled kernels (${made.isa}, ${made.threads} threads)` };
    }
    case 'webgpu': {
      const { create } = await import('webgpu');
      gpu ??= create([]);
      return { backend: await webgpu({ gpu }), reason: 'webgpu: through Dawn' };
    }
    default:
      throw new Error(name satisfies never);
  }
}
