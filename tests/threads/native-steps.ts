import { native } from '@gradpack/backend-native';
import { extend } from '@gradpack/core';
import { batchL2Grad } from '@gradpack/extensions-firstorder';
import { kfac } from '@gradpack/extensions-secondorder';
import { conv2d, flatten, linear, relu, sequential } from '@gradpack/layers';
import { crossEntropyLoss } from '@gradpack/losses';

/** Sums over what that many training steps of a small convolutional net give, on two threads. */
export async function steps(count: number): Promise<readonly number[]> {
  const backend = await native({ threads: 2 });
  const model = sequential(conv2d(3, 16, 3, { padding: 1 }), relu(), flatten(), linear(16 * 12 * 12, 10));
  const net = await extend(model, crossEntropyLoss(), { backend, seed: 3 });
  const x = { data: Float32Array.from({ length: 16 * 3 * 144 }, (_, i) => Math.sin(i)), shape: [16, 3, 12, 12] };
  const y = Int32Array.from({ length: 16 }, (_, i) => i % 10);
  const sums: number[] = [];
  for (let i = 0; i < count; i++) {
    using step = await net.backward(x, y, { norms: batchL2Grad(), factors: kfac() });
    const { loss, norms } = await step.read();
    sums.push(loss, ...[...norms].map(([, , { data }]) => data.reduce((a, b) => a + b, 0)));
    await net.update(step.gradient, { scale: -0.01 });
  }
  await net.dispose();
  await backend.dispose();
  return sums;
}
