import { afterEach, describe, expect, it, vi } from 'vitest';
import { threadCount } from '../src/host.js';
import { isNativeAvailable, native } from '../src/index.js';

const available = isNativeAvailable();

afterEach(() => vi.unstubAllEnvs());

describe('how many threads', () => {
  it('takes the option before GRADPACK_THREADS, and that before the cores', () => {
    vi.stubEnv('GRADPACK_THREADS', '3');
    expect(threadCount(5, 'native')).toBe(5);
    expect(threadCount(undefined, 'native')).toBe(3);
    vi.stubEnv('GRADPACK_THREADS', '');
    expect(threadCount(undefined, 'native')).toBeGreaterThanOrEqual(1);
  });

  it.each(['0', '-1', '1.5', 'x', '257'])('refuses GRADPACK_THREADS=%s', (text) => {
    vi.stubEnv('GRADPACK_THREADS', text);
    expect(() => threadCount(undefined, 'native')).toThrow(`GRADPACK_THREADS=${text}`);
    expect(() => threadCount(Number(text), 'native')).toThrow('a whole number from 1 to 256');
  });

  it.skipIf(available !== true)('is that of the backend', async () => {
    vi.stubEnv('GRADPACK_THREADS', '3');
    for (const [options, threads] of [[{}, 3] as const, [{ threads: 2 }, 2] as const]) {
      const backend = await native(options);
      expect(backend.threads).toBe(threads);
      await backend.dispose();
    }
  });
});
