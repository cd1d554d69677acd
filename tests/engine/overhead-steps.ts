// Run by overhead.test.ts on the built packages: steps of logistic regression on native, and as JSON what each spent outside kernels, in µs.
import { native } from '@gradpack/backend-native';
import { extend, tensor } from '@gradpack/core';
import { linear, sequential } from '@gradpack/layers';
import { crossEntropyLoss } from '@gradpack/losses';

const N = 128;
const steps = Number(process.argv[2]);

const backend = await native();
const net = await extend(sequential(linear(784, 10)), crossEntropyLoss(), { backend });
const x = tensor(backend, { data: Float32Array.from({ length: N * 784 }, (_, i) => Math.sin(i)), shape: [N, 784] });
const y = tensor(
  backend,
  Int32Array.from({ length: N }, (_, i) => i % 10),
);
const outside: number[] = [];
for (let i = 0; i < steps; i++) {
  const kernels = backend.kernelSeconds();
  const start = performance.now();
  const step = await net.backward(x, y);
  const wall = performance.now() - start;
  outside.push(1e3 * wall - 1e6 * (backend.kernelSeconds() - kernels));
  step.dispose();
}
console.log(JSON.stringify(outside));
await net.dispose();
await backend.dispose();
