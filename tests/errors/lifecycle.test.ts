import { cpu } from '@gradpack/backend-cpu';
import { extend, type Module, type NetInput, type Results, type Tensor, tensor } from '@gradpack/core';
import { ggnVectorProduct, hessianVectorProduct } from '@gradpack/extensions-secondorder';
import { linear, relu, sequential, sigmoid } from '@gradpack/layers';
import { crossEntropyLoss } from '@gradpack/losses';
import { describe, expect, test } from 'vitest';
import { delayedCpu } from '../engine/delayed-backend.js';
import { errorOf, failureOf, x, y } from './harness.js';

interface TestStep {
  readonly loss: Tensor;
  readonly gradient: Results<Tensor>;
  readonly hvp: (v: Record<string, NetInput>) => Promise<Results<Tensor>>;
  dispose(): void;
}
const two = { model: () => sequential(linear(4, 5), sigmoid(), linear(5, 3)) };

describe('after dispose', () => {
  test('a result of a step', async () => {
    const error = await errorOf(async ({ net }) => {
      const step = (await net.backward(x, y)) as unknown as TestStep;
      step.dispose();
      step.dispose(); // nothing happens the second time
      await step.loss.data();
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-DISPOSED: the step was disposed
        where: tensor.data
        expected: a tensor that is alive
        got: one of shape [] that was disposed
        fix: read before dispose(), or keep the copy that data() gives"
    `);
    expect(error.code).toBe('GRADPACK-DISPOSED');
  });
  test('its view', async () => {
    const error = await errorOf(async ({ net }) => {
      const step = (await net.backward(x, y)) as unknown as TestStep;
      step.dispose();
      step.loss.view();
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-DISPOSED: the step was disposed
        where: tensor.view
        expected: a tensor that is alive
        got: one of shape [] that was disposed
        fix: read before dispose(), or keep the copy that data() gives"
    `);
  });
  test('a product of a step', async () => {
    const error = await errorOf(async ({ net }) => {
      const step = (await net.backward(x, y, { hvp: hessianVectorProduct() })) as unknown as TestStep;
      step.dispose();
      await step.hvp({ '2.bias': [1, 2, 3] });
    }, two);
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-DISPOSED: the step was disposed
        where: hessianVectorProduct
        expected: a step that is alive
        got: a disposed one
        fix: use its products before dispose()"
    `);
  });
  test('a result of a product of a step', async () => {
    const error = await errorOf(async ({ net }) => {
      const step = (await net.backward(x, y, { hvp: hessianVectorProduct() })) as unknown as TestStep;
      const product = await step.hvp({ '2.bias': [1, 2, 3] });
      step.dispose();
      await product.data();
    }, two);
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-DISPOSED: the step was disposed
        where: tensor.data
        expected: a tensor that is alive
        got: one of shape [5, 4] that was disposed
        fix: read before dispose(), or keep the copy that data() gives"
    `);
  });
  test('updating by its gradient', async () => {
    const error = await errorOf(async ({ net }) => {
      const step = (await net.backward(x, y)) as unknown as TestStep;
      step.dispose();
      await net.update(step.gradient);
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-DISPOSED: a tensor was disposed
        where: net.update
        expected: a tensor that is alive
        got: a disposed one of shape [3, 4]
        fix: dispose tensors after the calls that use them"
    `);
  });
  test('an input', async () => {
    const error = await errorOf(async ({ net, backend }) => {
      const input = tensor(backend, x);
      input.dispose();
      await net.backward(input, y);
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-DISPOSED: a tensor was disposed
        where: net.backward
        expected: a tensor that is alive
        got: a disposed one of shape [2, 4]
        fix: dispose tensors after the calls that use them"
    `);
  });
  test('a net', async () => {
    const backend = cpu();
    const net = await extend(sequential(linear(4, 3)), crossEntropyLoss(), { backend });
    await net.dispose();
    await net.dispose();
    for (const call of [() => net.backward(x, y), () => net.forward(x), () => net.update({})])
      expect((await failureOf(call)).code).toBe('GRADPACK-DISPOSED');
    const error = await failureOf(() => net.backward(x, y));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-DISPOSED: the net was disposed
        where: net.backward
        expected: a net that is alive
        got: a disposed one
        fix: extend the model again"
    `);
    expect(backend.memory()).toMatchObject({ live: 0, plans: 0 });
  });
  test('reads of a step of a net that is gone still work, its products do not', async () => {
    const backend = cpu();
    const net = await extend(sequential(linear(4, 3)), crossEntropyLoss(), { backend });
    const step = await net.backward(x, y, { hvp: hessianVectorProduct() });
    const { loss } = await step.read();
    await net.dispose();
    expect((await step.loss.data())[0]).toBe(loss);
    expect((await failureOf(() => step.hvp({ '0.bias': [1, 2, 3] }))).code).toBe('GRADPACK-DISPOSED');
    step.dispose();
    expect(backend.memory()).toMatchObject({ live: 0, plans: 0 });
  });
  test('a backend', async () => {
    const backend = cpu();
    const net = await extend(sequential(linear(4, 3)), crossEntropyLoss(), { backend });
    backend.dispose();
    const error = await failureOf(() => net.backward(x, y));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-DISPOSED: the cpu backend is disposed
        where: net.backward
        expected: a backend that is alive
        got: disposed
        fix: make a new backend, and extend a model with the state dict you saved"
    `);
    await net.dispose();
  });
});

describe('a stale step', () => {
  test.each([
    ['update', (net: { update(x: object): Promise<void> }) => net.update({ '0.bias': [0, 0, 0, 0, 0] })],
    [
      'set',
      async (net: { parameters: ReadonlyMap<string, { set(x: readonly number[]): void }> }) =>
        net.parameters.get('0.bias')!.set([0, 0, 0, 0, 0]),
    ],
  ])('by %s', async (_, change) => {
    const error = await errorOf(async ({ net }) => {
      const bias = net.parameters.get('0.bias')!;
      const { data } = await bias.data();
      const step = (await net.backward(x, y, { hvp: ggnVectorProduct() })) as unknown as TestStep;
      const { loss } = step;
      const value = (await loss.data())[0];
      await change(net as never);
      expect((await loss.data())[0]).toBe(value); // results stay valid
      try {
        await step.hvp({ '2.bias': [1, 2, 3] });
      } finally {
        step.dispose();
        bias.set(data);
      }
    }, two);
    expect(error.code).toBe('GRADPACK-STALE-STEP');
    expect(error.message.replace(/version \d+/g, 'version N')).toMatchInlineSnapshot(`
      "GRADPACK-STALE-STEP: 0.bias changed after the step
        where: ggnVectorProduct
        expected: version N of the parameter
        got: version N
        fix: call backward again before using products"
    `);
  });
});

describe('two backends', () => {
  test('an input of another', async () => {
    const other = cpu({ precision: 'float64' });
    const input = tensor(other, x);
    const error = await errorOf(({ net }) => net.backward(input, y));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-MIXED-BACKENDS: a tensor lives on another backend
        where: net.backward
        expected: a tensor of the net’s backend (cpu)
        got: one of another (cpu)
        fix: make the tensor with tensor(net.backend, data), or pass host data"
    `);
    expect(error.code).toBe('GRADPACK-MIXED-BACKENDS');
  });
  test('a target of another', async () => {
    const target = tensor(cpu(), y);
    const error = await errorOf(({ net }) => net.backward(x, target));
    expect(error.code).toBe('GRADPACK-MIXED-BACKENDS');
  });
  test('an update by a step of another', async () => {
    const foreign = await extend(sequential(linear(4, 3)), crossEntropyLoss(), { backend: cpu() });
    const step = await foreign.backward(x, y);
    const error = await errorOf(({ net }) => net.update({ '0.bias': step.gradient.get('0.bias') }));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-MIXED-BACKENDS: a tensor lives on another backend
        where: net.update
        expected: a tensor of the net’s backend (cpu)
        got: one of another (cpu)
        fix: make the tensor with tensor(net.backend, data), or pass host data"
    `);
  });
  test('parameters of another', async () => {
    const other = cpu();
    const error = await errorOf(({ model }) => extend(model, crossEntropyLoss(), { backend: other }));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-MIXED-BACKENDS: parameter 0.weight is not on the net’s backend
        where: extend
        expected: a parameter on the cpu backend of this net
        got: one on another backend (cpu)
        fix: use one backend for all nets that share parameters, or await net.dispose() or model.to(backend) and extend the model again"
    `);
    expect(other.memory().live).toBe(0);
  });
  test('only some parameters of another', async () => {
    const other = cpu();
    const error = await errorOf(({ model }) => {
      const tied = (model as unknown as { layers: readonly { weight: never }[] }).layers[0]!.weight;
      return extend(sequential(linear(4, 4), relu(), linear(4, 3, { weight: tied })), crossEntropyLoss(), {
        backend: other,
      });
    });
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-MIXED-BACKENDS: parameter 2.weight is not on the net’s backend
        where: extend
        expected: a parameter on the cpu backend of this net
        got: one on another backend (cpu)
        fix: use one backend for all nets that share parameters, or await net.dispose() or model.to(backend) and extend the model again"
    `);
    await Promise.resolve();
    expect(other.memory().live).toBe(0);
  });
});

describe('a model that leaves a backend', () => {
  const trained = {
    '0.weight': { shape: [3, 4], data: Float64Array.from({ length: 12 }, (_, i) => i) },
    '0.bias': [7, 8, 9],
  };
  const biasOf = async (model: Module) => [...(await model.stateDict())['0.bias']!.data];
  const settings = [
    ['cpu', () => cpu()],
    ['a device that answers later', delayedCpu],
  ] as const;

  test.each(settings)('keeps its numbers where extend fails × %s', async (_, make) => {
    const [here, there] = [make(), make()];
    const tied = sequential(linear(4, 4));
    const other = await extend(tied, crossEntropyLoss(), { backend: there });
    const model = sequential(linear(4, 3), linear(3, 4), linear(4, 4, { weight: tied.layers[0].weight }));
    model.layers[0].bias.set([7, 8, 9]);
    expect((await failureOf(() => extend(model, crossEntropyLoss(), { backend: here }))).code).toBe(
      'GRADPACK-MIXED-BACKENDS',
    );
    await other.dispose();
    const net = await extend(model, crossEntropyLoss(), { backend: here });
    expect(await biasOf(model)).toEqual([7, 8, 9]);
    await net.dispose();
  });
  test.each(settings)('keeps them where dispose is not awaited × %s', async (_, make) => {
    const backend = make();
    const model = sequential(linear(4, 3)).loadStateDict(trained);
    const first = await extend(model, crossEntropyLoss(), { backend });
    await first.update({ '0.bias': [1, 1, 1] });
    const gone = first.dispose();
    const second = await extend(model, crossEntropyLoss(), { backend });
    expect(await biasOf(model)).toEqual([8, 9, 10]);
    await gone;
    expect(await biasOf(model)).toEqual([8, 9, 10]);
    const step = await second.backward(x, y);
    step.dispose();
    const going = second.dispose();
    model.layers[0].bias.set([0, 1, 2]);
    expect(await biasOf(model)).toEqual([0, 1, 2]);
    await going;
    expect(await biasOf(model)).toEqual([0, 1, 2]);
    await backend.read([]);
    expect(backend.memory()).toMatchObject({ live: 0, plans: 0 });
  });
  test('steps that are called before dispose are finished', async () => {
    const backend = delayedCpu();
    const net = await extend(sequential(linear(4, 3)), crossEntropyLoss(), { backend });
    const steps = [1, 2, 3, 4].map(() => net.backward(x, y));
    const gone = net.dispose();
    const losses = await Promise.all(steps.map(async (step) => (await (await step).loss.data())[0]));
    expect(new Set(losses).size).toBe(1);
    for (const step of steps) (await step).dispose();
    await gone;
    await backend.read([]);
    expect(backend.memory()).toMatchObject({ live: 0, plans: 0 });
  });
});

describe('no backend', () => {
  const model = () => sequential(linear(4, 3));
  test('nothing', async () => {
    const error = await failureOf(() => extend(model(), crossEntropyLoss(), {} as never));
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-NO-BACKEND: extend needs a backend
        where: extend
        expected: extend(model, loss, { backend })
        got: no backend
        fix: pass cpu() of @gradpack/backend-cpu, await native() or await webgpu(), or let the gradpack package choose one"
    `);
    expect(error.code).toBe('GRADPACK-NO-BACKEND');
  });
  test('no options', async () => {
    const error = await failureOf(() =>
      (extend as (...args: unknown[]) => Promise<unknown>)(model(), crossEntropyLoss()),
    );
    expect(error.code).toBe('GRADPACK-NO-BACKEND');
  });
  test('a promise of one', async () => {
    const error = await failureOf(() =>
      extend(model(), crossEntropyLoss(), { backend: Promise.resolve(cpu()) as never }),
    );
    expect(error.message).toMatchInlineSnapshot(`
      "GRADPACK-NO-BACKEND: extend needs a backend
        where: extend
        expected: extend(model, loss, { backend })
        got: something that is not a backend (a promise that was not awaited, or what the umbrella’s backend() gives: take its backend)
        fix: pass cpu() of @gradpack/backend-cpu, await native() or await webgpu(), or let the gradpack package choose one"
    `);
  });
});

describe('abort', () => {
  const big = () => sequential(linear(400, 400), sigmoid(), linear(400, 400), sigmoid(), linear(400, 10));
  const input = { data: Float32Array.from({ length: 256 * 400 }, (_, i) => Math.sin(i)), shape: [256, 400] };
  const target = Int32Array.from({ length: 256 }, (_, n) => n % 10);

  test('before it starts', async () => {
    const backend = cpu();
    const net = await extend(sequential(linear(4, 3)), crossEntropyLoss(), { backend });
    (await net.backward(x, y)).dispose();
    const { live } = backend.memory();
    await expect(net.backward(x, y, {}, { abort: AbortSignal.abort('enough') })).rejects.toBe('enough');
    expect(backend.memory().live).toBe(live);
    (await net.backward(x, y)).dispose();
  });
  test('in between', async () => {
    const backend = cpu();
    const net = await extend(big(), crossEntropyLoss(), { backend });
    const read = async () => {
      const step = await net.backward(input, target);
      const { loss } = await step.read();
      step.dispose();
      return loss;
    };
    const before = await read();
    const { live } = backend.memory();
    const controller = new AbortController();
    const shares: number[] = [];
    const running = net.backward(
      input,
      target,
      {},
      {
        abort: controller.signal,
        onProgress: (done, total) => {
          shares.push(done / total);
          controller.abort(new Error('stopped by the user'));
        },
      },
    );
    await expect(running).rejects.toThrow('stopped by the user');
    expect(shares[0]).toBeLessThan(1);
    expect(backend.memory().live).toBe(live);
    expect(await read()).toBe(before);
  });
});

describe('tensors', () => {
  test('that are disposed after the calls that use them, before these have run', async () => {
    const backend = delayedCpu();
    const net = await extend(sequential(linear(4, 3)), crossEntropyLoss(), { backend });
    const before = backend.memory().live;
    const [input, target] = [tensor(backend, x), tensor(backend, y)];
    const steps = [1, 2, 3].map(() => net.backward(input, target));
    const read = input.data();
    input.dispose();
    target.dispose();
    expect([...(await read)]).toEqual(x.flat());
    for (const step of await Promise.all(steps)) step.dispose();
    await backend.read([]);
    expect(backend.memory().live).toBe(before);
  });
});
