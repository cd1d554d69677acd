import { isNativeAvailable, native } from '@gradpack/backend-native';
import { extend, tensor } from '@gradpack/core';
import { linear, sequential } from '@gradpack/layers';
import { crossEntropyLoss } from '@gradpack/losses';
import { describe, expect, test } from 'vitest';

const available = isNativeAvailable();
const N = 128;

describe('logistic regression 784 → 10, N = 128, on native', () => {
  test.skipIf(available !== true)('a step spends under 100 µs outside kernels', async () => {
    const backend = await native();
    const net = await extend(sequential(linear(784, 10)), crossEntropyLoss(), { backend });
    const x = tensor(backend, { data: Float32Array.from({ length: N * 784 }, (_, i) => Math.sin(i)), shape: [N, 784] });
    const y = tensor(
      backend,
      Int32Array.from({ length: N }, (_, i) => i % 10),
    );
    const outside: number[] = [];
    for (let i = 0; i < 1200; i++) {
      const kernels = backend.kernelSeconds();
      const start = performance.now();
      const step = await net.backward(x, y);
      const wall = performance.now() - start;
      outside.push(1e3 * wall - 1e6 * (backend.kernelSeconds() - kernels));
      step.dispose();
    }
    const measured = outside.slice(200).sort((a, b) => a - b); // the first steps are not compiled yet
    const median = measured[measured.length >> 1]!;
    expect(median).toBeGreaterThan(0);
    expect(median, 'µs, median over 1000 steps').toBeLessThan(100);
    await net.dispose();
    await backend.dispose();
  });
});
