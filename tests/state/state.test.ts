import { cpu } from '@gradpack/backend-cpu';
import {
  type Buffer,
  buffer,
  expression,
  extend,
  type Layer,
  LINEAR_TRAITS,
  layer,
  type TensorRef,
  tensorAt,
} from '@gradpack/core';
import { hessianVectorProduct } from '@gradpack/extensions-secondorder';
import { batchNorm2d, conv2d, embedding, flatten, linear, relu, sequential } from '@gradpack/layers';
import { crossEntropyLoss, mseLoss } from '@gradpack/losses';
import { describe, expect, test } from 'vitest';

const make = () => sequential(linear(3, 4), relu(), linear(4, 2));
const x = [
  [1, 2, 3],
  [0, -1, 2],
];
const y = new Int32Array([0, 1]);

describe('state dicts', () => {
  test('names, shapes and order are PyTorch’s', async () => {
    const model = sequential(conv2d(1, 2, 3), batchNorm2d(2), flatten(), linear(8, 3));
    const dict = await model.stateDict();
    expect(Object.entries(dict).map(([name, { shape }]) => `${name} [${shape}]`)).toEqual([
      '0.weight [2,1,3,3]',
      '0.bias [2]',
      '1.weight [2]',
      '1.bias [2]',
      '1.running_mean [2]',
      '1.running_var [2]',
      '3.weight [3,8]',
      '3.bias [3]',
    ]);
  });

  test('a loaded model computes the same numbers', async () => {
    const [first, second] = [make(), make().initialize(7)];
    second.loadStateDict(await first.initialize(3).stateDict());
    const backend = cpu();
    const losses = [];
    for (const model of [first, second]) {
      const net = await extend(model, crossEntropyLoss(), { backend });
      using step = await net.backward(x, y);
      losses.push((await step.read()).loss);
    }
    expect(losses[0]).toBe(losses[1]);
  });

  test('a tied parameter may stand under one of its names, but not with two values', async () => {
    const embed = embedding(4, 2);
    const model = sequential(embed, linear(2, 4, { weight: embed.weight, bias: false }));
    const numbers = { shape: [4, 2], data: [1, 2, 3, 4, 5, 6, 7, 8] };
    model.loadStateDict({ '1.weight': numbers });
    expect([...(await embed.weight.data()).data]).toEqual(numbers.data);
    const other = { shape: [4, 2], data: [1, 2, 3, 4, 5, 6, 7, 9] };
    expect(() => model.loadStateDict({ '0.weight': numbers, '1.weight': other })).toThrowErrorMatchingInlineSnapshot(`
      [GradPackError: GRADPACK-OPTION: 0.weight and 1.weight are one parameter, but differ in the state dict
        where: model.loadStateDict
        expected: the same numbers under both names, or one of them
        got: different numbers
        fix: leave one of the two out, or build the model without the tie]
    `);
  });

  test('a typed array that went through JSON is told as such', async () => {
    const dict = JSON.parse(JSON.stringify(await make().stateDict()));
    expect(() => make().loadStateDict(dict)).toThrowErrorMatchingInlineSnapshot(`
      [GradPackError: GRADPACK-DTYPE: the numbers are an object with keys 0, 1, …, not an array
        where: model.loadStateDict
        expected: an array or typed array of numbers
        got: what JSON.stringify makes of a typed array
        fix: write Array.from(data) to JSON]
    `);
  });

  test('initial values depend on the seed and the path alone', async () => {
    const a = await make().initialize(1).stateDict();
    const b = await make().initialize(1).stateDict();
    const c = await make().initialize(2).stateDict();
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
    const { data } = a['0.weight']!;
    expect(Math.max(...data.map(Math.abs))).toBeLessThanOrEqual(1 / Math.sqrt(3));
  });
});

describe('order of calls', () => {
  test('set and update come after the steps that were called before', async () => {
    const model = make();
    const net = await extend(model, crossEntropyLoss(), { backend: cpu({ precision: 'float64' }) });
    using before = await net.backward(x, y);
    const called = net.backward(x, y);
    model.layers[0].weight.set(new Float64Array(12));
    const after = net.backward(x, y);
    using first = await called;
    using second = await after;
    expect(await first.loss.data()).toEqual(await before.loss.data());
    expect(await second.loss.data()).not.toEqual(await before.loss.data());
  });

  test('a product of an earlier step is stale after set, its loss is not', async () => {
    const model = make();
    const net = await extend(model, crossEntropyLoss(), { backend: cpu() });
    using step = await net.backward(x, y, { hvp: hessianVectorProduct() });
    const loss = await step.loss.data();
    model.layers[0].bias.set([0, 0, 0, 0]);
    await expect(step.hvp({ '0.bias': [1, 0, 0, 0] })).rejects.toMatchObject({ code: 'GRADPACK-STALE-STEP' });
    expect(await step.loss.data()).toEqual(loss);
  });
});

describe('model.to', () => {
  test('moves the numbers; nets on the old backend say so', async () => {
    const [a, b] = [cpu(), cpu()];
    const model = make();
    const old = await extend(model, crossEntropyLoss(), { backend: a });
    using step = await old.backward(x, y);
    const { loss } = await step.read();
    await model.to(b);
    await expect(old.backward(x, y)).rejects.toMatchObject({ code: 'GRADPACK-MIXED-BACKENDS' });
    const moved = await extend(model, crossEntropyLoss(), { backend: b });
    using again = await moved.backward(x, y);
    expect((await again.read()).loss).toBe(loss);
    await moved.dispose();
    step.dispose();
    again.dispose();
    expect([a.memory().live, b.memory().live]).toEqual([0, 0]);
  });
});

describe('running statistics (`Linearization.updates`)', () => {
  const { input, add } = expression;
  interface Counter extends Layer<'test/counter', never> {
    readonly calls: Buffer;
  }
  const counter = () => {
    const calls = buffer([1], 0);
    return layer<Counter>({
      kind: 'test/counter',
      calls,
      uses: [],
      carries: ['columns', 'product'],
      accepts: 'float',
      traits: () => LINEAR_TRAITS,
      outputShapes: (shape) => [shape],
      linearize([x], k, context) {
        return {
          outputs: [x as TensorRef],
          uses: [],
          updates: new Map([[calls, k.map(add(input(0), 1), [context.valueOf(calls)])]]),
          pull: ([columns]) => ({ inputs: [columns], terms: [] }),
          push: ([tangent]) => [tangent],
        };
      },
    });
  };

  test('are committed once per step, not by forward, products or steps with wrong ids', async () => {
    const backend = cpu();
    const count = counter();
    const net = await extend(sequential(linear(3, 2), count), crossEntropyLoss(), { backend });
    const calls = async () => (await count.calls.data()).data[0];
    using step = await net.backward(x, y, { hvp: hessianVectorProduct() });
    expect(await calls()).toBe(1);
    await step.hvp({ '0.bias': [1, 0] });
    (await net.forward(x)).dispose();
    expect(await calls()).toBe(1);
    const storage = backend.allocate('int32', 2);
    backend.write(storage, [0, 9]);
    using wrong = await net.backward(x, tensorAt(backend, storage, [2]));
    await expect(wrong.done).rejects.toMatchObject({ code: 'GRADPACK-INDEX' });
    expect(await calls()).toBe(1);
    backend.release(storage);
  });
});

test('one parameter may be in several nets; the last one to go gives the memory back', async () => {
  const backend = cpu();
  const model = make();
  const one = await extend(model, crossEntropyLoss(), { backend });
  const two = await extend(model, mseLoss(), { backend });
  await one.dispose();
  using step = await two.backward(x, [
    [1, 2],
    [3, 4],
  ]);
  step.dispose();
  await two.dispose();
  expect(backend.memory().live).toBe(0);
  expect((await model.layers[0].weight.data()).data).toHaveLength(12);
});

test('a quantity cannot take the name of a part of the step', async () => {
  const net = await extend(make(), crossEntropyLoss(), { backend: cpu() });
  const asked = { loss: hessianVectorProduct() } as never;
  await expect(net.backward(x, y, asked)).rejects.toThrowErrorMatchingInlineSnapshot(`
    [GradPackError: GRADPACK-OPTION: the name loss is taken
      where: net.backward
      expected: names other than loss, gradient, skipped, done, read, take, dispose
      got: a quantity named loss
      fix: give the quantity another name, such as { lossOf: … }]
  `);
});
