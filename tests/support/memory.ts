import { type Backend, type BackendMemory, extend, tensor, tensorAt } from '@gradpack/core';
import { batchGrad, batchL2Grad, variance } from '@gradpack/extensions-firstorder';
import { diagGGNMC, diagHessian, hessianVectorProduct, kfac } from '@gradpack/extensions-secondorder';
import { conv2d, dropout, flatten, linear, sequential, sigmoid } from '@gradpack/layers';
import { crossEntropyLoss } from '@gradpack/losses';
import { expect } from 'vitest';

/** The memory when everything that was asked of the backend before has happened. */
async function settledMemory(backend: Backend): Promise<BackendMemory> {
  const { live } = backend.memory();
  const probe = backend.allocate('int32', 1);
  const own = backend.memory().live - live;
  await backend.read([{ storage: probe, offset: 0, length: 1 }]);
  const memory = backend.memory();
  backend.release(probe);
  return { ...memory, live: memory.live - own };
}

/**
 * 101 steps of training with quantities, products, reads and updates, and failing calls of each sort in between: live bytes after each
 * step are those after the first, pooled bytes do not grow from step 10 to 100, and `dispose` gives everything back.
 */
export async function expectMemoryStays(backend: Backend): Promise<void> {
  const model = sequential(conv2d(1, 3, 3), sigmoid(), flatten(), dropout(0.3), linear(48, 4));
  const net = await extend(model, crossEntropyLoss(), { backend, seed: 1 });
  const images = (N: number) => ({
    shape: [N, 1, 6, 6],
    data: Float32Array.from({ length: N * 36 }, (_, i) => Math.sin(i)),
  });
  const classes = (N: number) => Int32Array.from({ length: N }, (_, n) => n % 4);
  const [x, y] = [tensor(backend, images(5)), tensor(backend, classes(5))];
  const unseen = backend.allocate('int32', 5);
  backend.write(unseen, Int32Array.of(0, 1, 9, 0, 1));
  const strange = tensorAt(backend, unseen, [5]);

  const failing: readonly (() => Promise<unknown>)[] = [
    () => net.backward({ shape: [2, 1, 5, 5], data: new Float32Array(50) }, classes(2)),
    () => net.backward(images(5), Int32Array.of(0, 1, 2, 3, 4)),
    () => net.backward(x, y, { individual: batchGrad() }, { memoryLimit: 100 }),
    () => net.backward(images(5), y, {}, { abort: AbortSignal.abort(new Error('stopped')) }),
    () =>
      net.backward({ shape: [5, 1, 6, 6], data: new Float32Array(180).fill(Number.NaN) }, y, {}, { checkFinite: true }),
    async () => {
      const step = await net.backward(x, strange, { hvp: hessianVectorProduct() });
      try {
        await step.read();
      } finally {
        step.dispose();
      }
    },
    async () => {
      (await net.backward(x, strange)).dispose();
      await net.backward(x, y);
    },
    async () => {
      const step = await net.backward(x, y, { hvp: hessianVectorProduct() });
      await net.update(step.gradient, { scale: -0.01 });
      try {
        await step.hvp({ '4.bias': [1, 0, 0, 0] });
      } finally {
        step.dispose();
      }
    },
    () => net.update({ '4.bias': [1] }),
    () => net.update({ '4.bias': [1, 2, 3, 4], '9.bias': [1] }),
  ];

  const step = async (i: number): Promise<void> => {
    const N = i % 3 === 2 ? 3 : 5;
    const [input, target] = N === 5 ? [x, y] : [images(N), classes(N)];
    const made = await net.backward(input, target, {
      noise: variance(),
      norms: batchL2Grad(),
      hessian: diagHessian(),
      sampled: diagGGNMC({ samples: 2 }),
      curvature: kfac(),
      hvp: hessianVectorProduct(),
    });
    const product = await made.hvp({
      '4.bias': [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
      ],
    });
    if (i % 2 === 0) product.get('4.bias').dispose();
    if (i % 4 === 0) await made.read();
    const moved = net.update(made.gradient, { scale: -0.01 });
    made.dispose();
    await moved;
    (await net.forward(input)).dispose();
    await expect((failing[i % failing.length] as () => Promise<unknown>)()).rejects.toThrow();
  };

  const live: number[] = [];
  const pooled: number[] = [];
  for (let i = 0; i <= 100; i++) {
    await step(i);
    const memory = await settledMemory(backend);
    live.push(memory.live);
    pooled.push(memory.pooled);
  }
  expect(live[100]).toBe(live[0]);
  expect(new Set(live).size).toBe(1);
  expect(Math.max(...pooled.slice(31))).toBeLessThanOrEqual(Math.max(...pooled.slice(10, 31)));
  expect(pooled[100]).toBeLessThanOrEqual(Math.max(...pooled.slice(10, 31)));

  x.dispose();
  y.dispose();
  backend.release(unseen);
  await net.dispose();
  expect(await settledMemory(backend)).toMatchObject({ live: 0, plans: 0 });
}
