import { cpu } from '@gradpack/backend-cpu';
import { type Backend, extend, tensorAt } from '@gradpack/core';
import { batchGrad } from '@gradpack/extensions-firstorder';
import { ggnVectorProduct } from '@gradpack/extensions-secondorder';
import { embedding, flatten, linear, sequential } from '@gradpack/layers';
import { crossEntropyLoss } from '@gradpack/losses';
import { afterEach, describe, expect, test } from 'vitest';
import { delayedCpu } from '../engine/delayed-backend.js';
import { nodeBackends } from '../support/backends.js';
import { failureOf } from './harness.js';

const x = [
  [1, 2],
  [3, -1],
];

/** Ids that core has never seen. */
function unseen(backend: Backend, ids: readonly number[], shape = [ids.length]) {
  const storage = backend.allocate('int32', ids.length);
  backend.write(storage, Int32Array.from(ids));
  return tensorAt(backend, storage, shape, 'the ids', { release: () => backend.release(storage) });
}

async function setup(backend: Backend) {
  const net = await extend(sequential(linear(2, 3)), crossEntropyLoss(), { backend, seed: 2 });
  const [good, bad] = [unseen(backend, [0, 2]), unseen(backend, [0, 3])];
  const read = async (target: typeof good) => {
    const step = await net.backward(x, target);
    const { loss } = await step.read();
    step.dispose();
    return loss;
  };
  const end = async () => {
    good.dispose();
    bad.dispose();
    await net.dispose();
    await backend.read([]);
    expect(backend.memory()).toMatchObject({ live: 0, plans: 0 });
  };
  return { net, good, bad, read, end };
}

const delayed = { name: 'a device that answers later', missing: undefined, make: async () => delayedCpu() };

describe.each([...nodeBackends(), delayed])(
  'class indices that only the device has seen × $name',
  ({ make, missing }) => {
    let backend: Backend | undefined;
    afterEach(() => backend?.dispose());
    const it = test.skipIf(missing !== undefined);

    it('within range: as from the host', async () => {
      backend = await make();
      const { net, good, read, end } = await setup(backend);
      const host = await net.backward(x, [0, 2]);
      expect(await read(good)).toBe((await host.read()).loss);
      host.dispose();
      await end();
    });

    it('the next read tells', async () => {
      backend = await make();
      const { net, good, bad, read, end } = await setup(backend);
      const before = await read(good);
      const step = await net.backward(x, bad, { individual: batchGrad() });
      const error = await failureOf(() => step.read());
      expect(error.code).toBe('GRADPACK-INDEX');
      expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-INDEX: ids on the device are out of range
        where: net.backward
        expected: class or token ids within the range of the loss or layer
        got: at least one id outside it, which was clamped; updates by results of this step change nothing
        fix: check the ids before they are put on the device"
    `);
      for (const read of [
        () => step.loss.data(),
        () => step.gradient.data(),
        () => step.individual.get('0.weight').data(),
        () => step.done,
      ])
        expect((await failureOf(read)).message).toBe(error.message);
      step.dispose();
      expect(await read(good)).toBe(before); // told: not again
      await end();
    });

    it('done tells', async () => {
      backend = await make();
      const { net, good, bad, read, end } = await setup(backend);
      const before = await read(good);
      const step = await net.backward(x, bad);
      expect((await failureOf(() => step.done)).code).toBe('GRADPACK-INDEX');
      step.dispose();
      expect(await read(good)).toBe(before);
      await end();
    });

    it('the next backward tells, once, also after dispose', async () => {
      backend = await make();
      const { net, good, bad, read, end } = await setup(backend);
      const before = await read(good);
      for (const disposed of [true, false]) {
        const step = await net.backward(x, bad);
        if (disposed) step.dispose();
        expect((await failureOf(() => net.backward(x, good))).code).toBe('GRADPACK-INDEX');
        expect(await read(good)).toBe(before);
        step.dispose();
      }
      await end();
    });

    it('a step within range tells nothing', async () => {
      backend = await make();
      const { net, good, end } = await setup(backend);
      for (let i = 0; i < 3; i++) {
        const step = await net.backward(x, good);
        await step.done;
        step.dispose();
      }
      await end();
    });

    it('updates from that step change nothing, others do', async () => {
      backend = await make();
      const { net, good, bad, end } = await setup(backend);
      const weight = net.parameters.get('0.weight')!;
      const before = [...(await weight.data()).data];
      const broken = await net.backward(x, bad);
      await net.update(broken.gradient, { scale: -1 });
      expect([...(await weight.data()).data]).toEqual(before);
      await broken.done.catch(() => undefined);
      const fine = await net.backward(x, good);
      await net.update({ '0.weight': fine.gradient.get('0.weight'), '0.bias': broken.gradient.get('0.bias') });
      expect([...(await weight.data()).data]).not.toEqual(before);
      expect([...(await net.parameters.get('0.bias')!.data()).data]).not.toContain(Number.NaN);
      broken.dispose();
      fine.dispose();
      await end();
    });

    it('products of that step move nothing either', async () => {
      backend = await make();
      const { net, bad, end } = await setup(backend);
      const before = [...(await net.parameters.get('0.bias')!.data()).data];
      const step = await net.backward(x, bad, { multiply: ggnVectorProduct() });
      const product = await step.multiply({ '0.bias': [1, 2, 3] });
      await net.update(product);
      expect([...(await net.parameters.get('0.bias')!.data()).data]).toEqual(before);
      expect((await failureOf(() => product.data())).code).toBe('GRADPACK-INDEX');
      step.dispose();
      await end();
    });

    it('with checkFinite the step itself fails', async () => {
      backend = await make();
      const { net, good, bad, read, end } = await setup(backend);
      expect((await failureOf(() => net.backward(x, bad, {}, { checkFinite: true }))).code).toBe('GRADPACK-INDEX');
      await read(good);
      await end();
    });
  },
);

describe('token ids that only the device has seen', () => {
  const model = () => sequential(embedding(4, 2), flatten(), linear(6, 3));
  test('are clamped and told', async () => {
    const backend = cpu();
    const net = await extend(model(), crossEntropyLoss(), { backend });
    const ids = unseen(backend, [0, 1, 2, -1, 4, 3], [2, 3]);
    const { live } = backend.memory();
    const step = await net.backward(ids, [0, 1]);
    expect((await failureOf(() => step.read())).code).toBe('GRADPACK-INDEX');
    step.dispose();
    expect(backend.memory().live).toBe(live);
  });
  test('forward tells when it is read, and gives everything back', async () => {
    const backend = cpu();
    const net = await extend(model(), crossEntropyLoss(), { backend });
    const ids = unseen(backend, [0, 1, 2, 0, 4, 3], [2, 3]);
    const { live } = backend.memory();
    const output = await net.forward(ids);
    const error = await failureOf(() => output.data());
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-INDEX: ids on the device are out of range
        where: net.backward
        expected: class or token ids within the range of the loss or layer
        got: at least one id outside it, which was clamped; updates by results of this step change nothing
        fix: check the ids before they are put on the device"
    `);
    output.dispose();
    expect(backend.memory().live).toBe(live);
  });
});
