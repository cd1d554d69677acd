import { afterAll, describe, test } from 'vitest';
import { expectMemoryStays } from '../support/memory.js';
import { webgpuBackend } from '../support/webgpu-backend.js';

const backend = await webgpuBackend();
afterAll(() => backend?.dispose());

describe('memory × webgpu', () => {
  test.skipIf(!backend)('101 steps, with failing ones in between, take what the first takes', async () => {
    if (backend) await expectMemoryStays(backend);
  });
});
