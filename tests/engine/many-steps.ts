// Run by many-steps.test.ts in a process with --expose-gc: trains logistic regression and prints, as JSON, what is held at intervals.
import { cpu } from '@gradpack/backend-cpu';
import { native } from '@gradpack/backend-native';
import { extend, tensor } from '@gradpack/core';
import { linear, sequential } from '@gradpack/layers';
import { crossEntropyLoss } from '@gradpack/losses';

const [name = '', count = ''] = process.argv.slice(2);
const steps = Number(count);
const INTERVALS = 10;
const N = 16;
const FEATURES = name === 'native' ? 784 : 64;
const collect = (globalThis as unknown as { gc(): void }).gc;

const backend = name === 'native' ? await native({ threads: 1 }) : cpu();
const net = await extend(sequential(linear(FEATURES, 10)), crossEntropyLoss(), { backend });
const images = { shape: [N, FEATURES], data: Float32Array.from({ length: N * FEATURES }, (_, i) => Math.sin(i)) };
const labels = Int32Array.from({ length: N }, (_, i) => i % 10);
const onBackend = tensor(backend, images);

const held: object[] = [];
for (let step = 0; step <= steps; step++) {
  // every second batch comes from the host
  using found = await net.backward(step % 2 === 0 ? onBackend : images, labels);
  await net.update(found.gradient, { scale: -0.01 });
  if (step % (steps / INTERVALS) !== 0) continue;
  found.dispose();
  await new Promise((resolve) => setTimeout(resolve, 10));
  collect();
  held.push({ ...backend.memory(), heap: process.memoryUsage().heapUsed, rss: process.memoryUsage().rss });
}
console.log(JSON.stringify(held));
await net.dispose();
await backend.dispose();
