import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type BackendOptions, backend } from '../src/index.js';

/** WebGPU whose adapter gives no device: enough to see what is chosen. */
const gpuOf = (info: object): NonNullable<BackendOptions['webgpu']> => ({
  gpu: {
    requestAdapter: async () => ({ info, limits: {}, requestDevice: () => Promise.reject(new Error('no device')) }),
  } as unknown as GPU,
});

// the addon is looked for here when it is first asked for
beforeAll(() => vi.stubEnv('GRADPACK_NATIVE', 'absent.node'));
afterAll(() => vi.unstubAllEnvs());

async function reasonOf(options?: BackendOptions): Promise<string> {
  const { backend: chosen, reason } = await backend(options);
  await chosen.dispose();
  return reason;
}

describe('backend without the addon', () => {
  test('is cpu where there is no WebGPU', async () => {
    const { backend: chosen, reason } = await backend();
    expect(chosen.name).toBe('cpu');
    expect(reason).toBe(
      'cpu: plain TypeScript; no native: no addon at absent.node; no webgpu: there is no navigator.gpu',
    );
  });

  test('passes over software adapters', async () => {
    const webgpu = gpuOf({ vendor: 'google', architecture: 'swiftshader' });
    expect(await reasonOf({ webgpu })).toContain('no webgpu: its adapter is software (google swiftshader)');
    expect(await reasonOf({ webgpu: gpuOf({ isFallbackAdapter: true }) })).toContain(
      'no webgpu: its adapter is software',
    );
  });

  test('takes a software adapter that was asked for, if it gives a device', async () => {
    const webgpu = gpuOf({ architecture: 'swiftshader' });
    expect(await reasonOf({ webgpu, prefer: 'webgpu' })).toBe(
      'cpu: plain TypeScript; no webgpu: the adapter gave no device: no device; no native: no addon at absent.node',
    );
  });

  test('says why there is no adapter', async () => {
    const gpu = { requestAdapter: async () => null } as unknown as GPU;
    expect(await reasonOf({ webgpu: { gpu } })).toContain('no webgpu: there is no adapter');
    const broken = { requestAdapter: () => Promise.reject(new Error('blocked')) } as unknown as GPU;
    expect(await reasonOf({ webgpu: { gpu: broken } })).toContain('no webgpu: requestAdapter failed: blocked');
  });

  test('passes over WebGPU in float64', async () => {
    const { backend: chosen, reason } = await backend({ precision: 'float64' });
    expect(chosen.precision).toBe('float64');
    expect(reason).toContain('no webgpu: it computes in float32 only');
  });

  test('passes the memory limit on', async () => {
    const { backend: chosen } = await backend({ memory: 1e6 });
    expect(chosen.limits.memory).toBe(1e6);
  });

  test('refuses a backend that is not known', async () => {
    await expect(backend({ prefer: 'cuda' as 'cpu' })).rejects.toThrow(
      'GRADPACK-OPTION: there is no such backend\n  where: backend\n  expected: native, webgpu, cpu\n  got: cuda\n  fix: leave `prefer` out, or name one of these',
    );
  });
});
