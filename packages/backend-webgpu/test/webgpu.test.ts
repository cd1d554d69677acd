import { webgpu } from '@gradpack/backend-webgpu';
import { GradPackError } from '@gradpack/core';
import { describe, expect, test } from 'vitest';
import { hasAdapter, withBackend } from './adapter.js';

const messageOf = (action: () => unknown): Promise<string> =>
  Promise.resolve()
    .then(action)
    .then(
      () => 'nothing was thrown',
      (error: unknown) => (error instanceof GradPackError ? error.message : `no GradPackError: ${String(error)}`),
    );

const present = await hasAdapter();

describe('where there is no WebGPU', () => {
  const noBackend = (got: string): string => `GRADPACK-NO-BACKEND: WebGPU is not available here
  where: webgpu
  expected: a GPU adapter
  got: ${got}
  fix: use a browser with WebGPU on a secure page (https or localhost); in Node pass \`gpu: create([])\` of the npm package 'webgpu'; or use the native or cpu backend`;

  test('no adapter', async () => {
    const gpu = { requestAdapter: async () => null } as unknown as GPU;
    expect(await messageOf(() => webgpu({ gpu }))).toBe(noBackend('requestAdapter found no adapter'));
  });

  test('requestAdapter throws', async () => {
    const gpu = {
      requestAdapter: () => {
        throw new Error('blocked');
      },
    } as unknown as GPU;
    expect(await messageOf(() => webgpu({ gpu }))).toBe(noBackend('requestAdapter failed: blocked'));
  });

  test('the adapter gives no device', async () => {
    const adapter = { limits: {}, requestDevice: () => Promise.reject(new Error('consumed')) } as unknown as GPUAdapter;
    expect(await messageOf(() => webgpu({ adapter }))).toBe(noBackend('the adapter gave no device: consumed'));
  });
});

describe.skipIf(!present)('webgpu', () => {
  test('a device that was handed in survives', async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter!.requestDevice();
    await withBackend(
      async (backend) => expect(backend.limits.tensorBytes).toBe(device.limits.maxStorageBufferBindingSize),
      () => webgpu({ device }),
    );
    await withBackend(
      async (backend) => {
        const storage = backend.allocate('int32', 2);
        backend.write(storage, [3, 4]);
        expect(await backend.read([{ storage, offset: 0, length: 2 }])).toEqual([Int32Array.of(3, 4)]);
      },
      () => webgpu({ device }),
    );
    device.destroy();
  });

  test('a lost device is named by every later call', async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter!.requestDevice();
    await withBackend(
      async (backend) => {
        const storage = backend.allocate('float32', 4);
        device.destroy();
        await device.lost;
        expect(backend.state).toBe('lost');
        const message = await messageOf(() => backend.read([{ storage, offset: 0, length: 4 }]));
        expect(message).toMatch(
          /^GRADPACK-BACKEND-LOST: the GPU device is gone\n {2}where: webgpu read\n {2}expected: a device that works\n {2}got: a lost device: .+\n {2}fix: make a new backend with webgpu\(\) and move the model to it from a state dict$/,
        );
        expect(await messageOf(() => backend.write(storage, [1]))).toContain('GRADPACK-BACKEND-LOST');
        expect(await messageOf(() => backend.allocate('float32', 1))).toContain('GRADPACK-BACKEND-LOST');
      },
      () => webgpu({ device }),
    );
  });

  test('a read under way when the device is lost rejects', async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter!.requestDevice();
    await withBackend(
      async (backend) => {
        const storage = backend.allocate('float32', 4);
        const reading = messageOf(() => backend.read([{ storage, offset: 0, length: 4 }]));
        device.destroy();
        expect(await reading).toMatch(/nothing was thrown|GRADPACK-BACKEND-LOST/);
        expect(await messageOf(() => backend.read([{ storage, offset: 0, length: 4 }]))).toContain(
          'GRADPACK-BACKEND-LOST',
        );
      },
      () => webgpu({ device }),
    );
  });

  test('float64 is refused', () =>
    withBackend(async (backend) => {
      expect(await messageOf(() => backend.allocate('float64', 1))).toBe(
        'GRADPACK-DTYPE: webgpu has no float64\n  where: webgpu allocate\n  expected: float32 or int32\n  got: float64\n  fix: use float32, or the cpu or native backend for float64',
      );
    }));

  test('storage is refused after its release', () =>
    withBackend(async (backend) => {
      const storage = backend.allocate('float32', 1);
      backend.release(storage);
      expect(await messageOf(() => backend.write(storage, [1]))).toBe(
        'GRADPACK-DISPOSED: storage was used after its release, or on a backend that did not make it\n  where: webgpu write\n  fix: use storage on the backend that allocated it, and release it once',
      );
      expect(await messageOf(() => backend.release(storage))).toContain('GRADPACK-DISPOSED');
    }));
});
