import type { Backend } from '@gradpack/core';
import { afterAll, describe, expect, test } from 'vitest';
import { type Golden, goldenErrors } from '../support/golden.js';
import { FLOAT32 } from '../support/tolerance.js';
import { webgpuBackend } from '../support/webgpu-backend.js';

// vite's glob works in Node and in the browser alike
const files = import.meta.glob<Golden>(['../../reference/golden/*.json', '!**/index.json'], {
  eager: true,
  import: 'default',
});
const backend = await webgpuBackend();
afterAll(() => backend?.dispose());

describe.skipIf(!backend)('goldens of PyTorch and BackPACK × webgpu', () => {
  test.each(Object.values(files).map((golden) => [golden.name, golden] as const))('%s', async (_, golden) => {
    const errors = await goldenErrors(golden, backend as Backend);
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.filter(({ quantity, error }) => !(error <= FLOAT32.golden(quantity)))).toEqual([]);
    expect(backend?.memory().live).toBe(0);
  });
});
