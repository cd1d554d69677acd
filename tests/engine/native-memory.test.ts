import { isNativeAvailable, native } from '@gradpack/backend-native';
import { extend, tensor } from '@gradpack/core';
import { batchL2Grad, sumGradSquared, variance } from '@gradpack/extensions-firstorder';
import { batchDiagGGNMC, diagGGNExact, diagGGNMC } from '@gradpack/extensions-secondorder';
import { conv2d, flatten, linear, maxPool2d, relu, sequential } from '@gradpack/layers';
import { crossEntropyLoss } from '@gradpack/losses';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const available = isNativeAvailable();
const N = 32;

describe.skipIf(available !== true)(`convolutions on native${available === true ? '' : `: ${available}`}`, () => {
  const model = () =>
    sequential(
      conv2d(3, 32, 5),
      relu(),
      maxPool2d(2),
      conv2d(32, 64, 3),
      relu(),
      maxPool2d(2),
      flatten(),
      linear(2304, 10),
    );
  const data = () => Float32Array.from({ length: N * 3 * 32 * 32 }, (_, i) => Math.sin(i));
  const classes = Int32Array.from({ length: N }, (_, n) => n % 10);

  /** Bytes of storage after a step, for reuse too, and bytes that kernels work in. */
  const heldBy = async (quantities: object): Promise<{ readonly stored: number; readonly working: number }> => {
    const backend = await native({ threads: 2 });
    const net = await extend(model(), crossEntropyLoss(), { backend });
    const [x, y] = [tensor(backend, { shape: [N, 3, 32, 32], data: data() }), tensor(backend, classes)];
    (await net.backward(x, y, quantities as never)).dispose();
    const { live, pooled, working = 0 } = backend.memory();
    await net.dispose();
    await backend.dispose();
    return { stored: live + pooled, working };
  };
  const bytesOf = async (quantities: object): Promise<number> => {
    const { stored, working } = await heldBy(quantities);
    return stored + working;
  };
  let gradient = 0;
  beforeAll(async () => {
    gradient = await bytesOf({});
  });

  test.each([
    ['batchL2Grad', batchL2Grad()],
    ['sumGradSquared', sumGradSquared()],
    ['variance', variance()],
    ['diagGGNMC', diagGGNMC()],
    ['diagGGNExact', diagGGNExact()],
  ])('%s holds at most 1.5 times what the gradient holds', async (name, quantity) => {
    expect((await bytesOf({ [name]: quantity })) / gradient).toBeLessThan(1.5);
  });
  test('what belongs to each sample takes its N times θ', async () => {
    expect((await heldBy({ each: batchDiagGGNMC() })).stored).toBeGreaterThan(
      4 * N * (3 * 32 * 25 + 32 * 64 * 9 + 23040),
    );
  });

  describe('a long step', () => {
    let backend: Awaited<ReturnType<typeof native>>;
    beforeAll(async () => {
      backend = await native({ threads: 2 });
    });
    afterAll(() => backend.dispose());

    test('leaves the event loop to others', async () => {
      const net = await extend(model(), crossEntropyLoss(), { backend });
      const x = { shape: [N, 3, 32, 32], data: data() };
      let turns = 0;
      const timer = setInterval(() => {
        turns++;
      }, 1);
      const step = await net.backward(x, classes, { ggn: diagGGNExact() });
      step.dispose();
      const first = turns;
      (await net.backward(x, classes, { ggn: diagGGNExact() })).dispose();
      clearInterval(timer);
      await net.dispose();
      expect(turns - first, 'turns of the event loop in the second step').toBeGreaterThan(2);
    });
  });
});
