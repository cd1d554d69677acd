import { isNativeAvailable, native } from '@gradpack/backend-native';
import { extend } from '@gradpack/core';
import { sumGradSquared, variance } from '@gradpack/extensions-firstorder';
import { linear, sequential } from '@gradpack/layers';
import { mseLoss } from '@gradpack/losses';
import { describe, expect, test } from 'vitest';

const available = isNativeAvailable();
const N = 10 ** 6;
/** Of individual gradients: every second one is larger by it, the others are smaller. */
const DEVIATION = 2 ** -10;
const MEAN = Math.fround(0.1);

describe('a batch of 10⁶ samples on native, in float32', () => {
  test.skipIf(available !== true)('sums and spreads keep five digits, whatever else is asked for', async () => {
    const backend = await native({ threads: 2 });
    const zeros = {
      weight: { data: new Float32Array(2), shape: [1, 2] },
      bias: { data: new Float32Array(1), shape: [1] },
    };
    const model = sequential(linear(2, 1)).loadStateDict({ '0.weight': zeros.weight, '0.bias': zeros.bias });
    const net = await extend(model, mseLoss({ reduction: 'sum' }), { backend });
    const images = { data: new Float32Array(2 * N).fill(1), shape: [N, 2] };
    // the gradient of (0 − t)² is −2 t
    const targets = {
      data: Float32Array.from({ length: N }, (_, n) => (MEAN + (n % 2 === 0 ? 1 : -1) * DEVIATION) / -2),
      shape: [N, 1],
    };
    for (const quantities of [{}, { variance: variance() }, { variance: variance(), squares: sumGradSquared() }]) {
      using step = await net.backward(images, targets, quantities as never);
      const { gradient, ...found } = (await step.read()) as unknown as Record<
        string,
        { get(name: string): { readonly data: Float32Array } }
      >;
      for (const name of ['0.weight', '0.bias']) {
        const of = (quantity: string): number => found[quantity]?.get(name).data[0] as number;
        expect((gradient?.get(name).data[0] as number) / (N * MEAN), `gradient of ${name}`).toBeCloseTo(1, 4);
        if ('variance' in found) expect(of('variance') / DEVIATION ** 2, `variance of ${name}`).toBeCloseTo(1, 4);
        if ('squares' in found)
          expect(of('squares') / (N * (MEAN ** 2 + DEVIATION ** 2)), `squares of ${name}`).toBeCloseTo(1, 4);
      }
    }
    await net.dispose();
    await backend.dispose();
  });
});
