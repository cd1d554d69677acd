import { isNativeAvailable } from '@gradpack/backend-native';
import { describe, expect, test } from 'vitest';
import { backend, native } from '../src/index.js';

const available = isNativeAvailable();

describe.skipIf(available !== true)(`backend with the addon${available === true ? '' : ` (${available})`}`, () => {
  test('is native', async () => {
    const { backend: chosen, reason } = await backend({ native: { threads: 2 } });
    expect(chosen.name).toBe('native');
    expect(reason).toMatch(/^native: compiled kernels \(\w+, 2 threads\)$/);
    await chosen.dispose();
  });

  test('is what is preferred', async () => {
    const { backend: chosen, reason } = await backend({ prefer: 'cpu' });
    expect(chosen.name).toBe('cpu');
    expect(reason).toBe('cpu: plain TypeScript');
  });

  test('leaves wrong options an error', async () => {
    await expect(backend({ native: { threads: 0 } })).rejects.toThrow('the number of threads makes no sense');
  });

  test('native() is loaded on demand', async () => {
    const made = await native({ precision: 'float64' });
    expect([made.name, made.precision]).toEqual(['native', 'float64']);
    await made.dispose();
  });
});
