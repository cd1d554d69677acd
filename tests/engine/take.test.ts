import { type Backend, extend, recycle, type Taken, type Tensor, tensor } from '@gradpack/core';
import { batchGrad } from '@gradpack/extensions-firstorder';
import { hessianVectorProduct, kfac } from '@gradpack/extensions-secondorder';
import { linear, sequential, sigmoid } from '@gradpack/layers';
import { crossEntropyLoss } from '@gradpack/losses';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeBackends } from '../support/backends.js';
import { delayedCpu } from './delayed-backend.js';

const delayed = { name: 'a device that answers later', missing: undefined, make: async () => delayedCpu() };
const N = 32;
const x = { shape: [N, 40], data: Float32Array.from({ length: N * 40 }, (_, i) => Math.sin(i)) };
const y = Int32Array.from({ length: N }, (_, n) => n % 3);

describe.each([...nodeBackends(), delayed])('take × $name', ({ make, missing }) => {
  if (missing !== undefined) return void test.skip(missing, () => undefined);
  let backend: Backend;
  const netOf = () =>
    extend(sequential(linear(40, 64), sigmoid(), linear(64, 3)), crossEntropyLoss(), { backend, seed: 1 });
  let net: Awaited<ReturnType<typeof netOf>>;
  let live: number;
  beforeEach(async () => {
    backend = await make();
    net = await netOf();
    live = await settled();
  });
  afterEach(async () => {
    await net.dispose();
    await backend.dispose();
  });
  /** Live bytes when all that was asked for has happened. */
  const settled = async (): Promise<number> => {
    await net.parameters.get('0.bias')?.data();
    await new Promise((resolve) => setTimeout(resolve, 10));
    return backend.memory().live;
  };
  const taken = { code: 'GRADPACK-DISPOSED', message: expect.stringContaining('the tensor was taken') };

  test('is recycled: the array, results, the whole step', async () => {
    const quantities = { individual: batchGrad(), factors: kfac() };
    const first = await (await net.backward(x, y, quantities)).take();
    const second = await (await net.backward(x, y, quantities)).take();
    const rows = first.individual.get('0.weight').data;
    const expected = [...second.individual.get('0.weight').data];
    recycle(first);
    recycle(first);
    expect(rows.length).toBe(backend.name === 'native' ? 0 : expected.length);
    const third = await (await net.backward(x, y, quantities)).take();
    expect([...third.individual.get('0.weight').data]).toEqual(expected);
    expect([...second.individual.get('0.weight').data]).toEqual(expected);
    recycle(second.factors);
    recycle(second.individual.get('0.weight').data);
    recycle(third.individual.get('0.weight'));
    const fourth = await (await net.backward(x, y, quantities)).take();
    const [held, kept] = [fourth.individual.get('0.weight').data, fourth.individual.get('2.weight').data];
    const circle: { self?: object; held: unknown } = { held: new Map([['weight', new Set([held])]]) };
    circle.self = circle;
    recycle({ circle });
    expect([held.length === 0, kept.length > 0]).toEqual([backend.name === 'native', true]);
    expect(await settled()).toBe(live);
  });

  test('tensors are no arrays to recycle', async () => {
    using step = await net.backward(x, y);
    const tensor = step.gradient.get('0.bias') as unknown as Taken;
    const refused = expect.objectContaining({ code: 'GRADPACK-OPTION' });
    expect(() => recycle(tensor)).toThrow(refused);
    expect(() => recycle(step.gradient)).toThrow(refused);
    expect(() => recycle(step.take() as never)).toThrow(refused);
  });

  test('gives what data() gives, once', async () => {
    using step = await net.backward(x, y, { individual: batchGrad() });
    const rows = step.individual.get('0.weight');
    const expected = await rows.data();
    const got = await rows.take();
    expect(got).toEqual(expected);
    expect(got.byteLength).toBe(got.buffer.byteLength);
    await expect(rows.take()).rejects.toMatchObject(taken);
    await expect(rows.data()).rejects.toMatchObject(taken);
    expect(() => rows.view()).toThrow('the tensor was taken');
    await expect(net.update({ '0.weight': rows })).rejects.toMatchObject({ code: 'GRADPACK-DISPOSED' });
    rows.dispose(); // nothing happens
    expect([...step.individual].length).toBe(4);
    expect((await step.loss.data()).length).toBe(1);
  });

  test('of a whole step gives what read() gives, and all memory back', async () => {
    const all = { individual: batchGrad(), factors: kfac(), again: batchGrad() };
    using step = await net.backward(x, y, all);
    const expected = await step.read();
    const got = await step.take();
    expect(got.loss).toBe(expected.loss);
    expect([...got.gradient]).toEqual([...expected.gradient]);
    expect([...got.individual]).toEqual([...expected.individual]);
    expect([...got.again]).toEqual([...expected.again]);
    expect([...got.factors]).toEqual([...expected.factors]);
    await expect(step.loss.data()).rejects.toMatchObject(taken);
    await expect(step.take()).rejects.toMatchObject(taken);
    expect(await settled()).toBe(live);
  });

  test('of some results leaves the others, until the step ends', async () => {
    const step = await net.backward(x, y, { individual: batchGrad() });
    const expected = await step.gradient.data();
    const [, individual] = await Promise.all([step.gradient.get('0.bias').take(), step.individual.take()]);
    expect(individual.get('2.weight').shape).toEqual([N, 3, 64]);
    expect((await step.gradient.get('0.weight').data()).every((v, i) => v === expected.get('0.weight').data[i])).toBe(
      true,
    );
    await expect(step.take()).rejects.toMatchObject(taken);
    await expect(step.gradient.take()).rejects.toMatchObject(taken);
    expect((await step.loss.take()).length).toBe(1); // a take that cannot be takes nothing
    expect((await step.gradient.get('2.weight').take()).length).toBe(3 * 64);
    step.dispose();
    step.dispose();
    expect(await settled()).toBe(live);
  });

  test('keeps its place among what is called without waiting', async () => {
    const step = await net.backward(x, y, { individual: batchGrad() });
    const expected = await step.individual.get('2.bias').data();
    const before = (await net.parameters.get('2.bias')!.data()).data;
    const first = step.gradient.get('2.bias');
    const updating = net.update({ '2.bias': first }, { scale: -1 });
    const taking = first.take();
    const others = step.individual.take();
    const next = net.backward(x, y, { individual: batchGrad() });
    step.dispose();
    const [gradient, individual, following] = [await taking, await others, await next, await updating];
    const bias = (await net.parameters.get('2.bias')!.data()).data;
    expect([...bias]).toEqual([...gradient].map((v, i) => expect.closeTo(before[i]! - v, 6)));
    expect(individual.get('2.bias').data).toEqual(expected);
    using second = following;
    expect(await second.individual.get('2.bias').data()).not.toEqual(expected);
  });

  test('leaves what products read', async () => {
    using step = await net.backward(x, y, { hvp: hessianVectorProduct(), individual: batchGrad() });
    const v = { '2.bias': [1, 2, 3] };
    const expected = await (await step.hvp(v)).get('0.weight').data();
    await Promise.all([step.loss.take(), step.gradient.take(), step.individual.take()]);
    const product = (await step.hvp(v)).get('0.weight');
    expect(await product.take()).toEqual(expected);
    await expect(product.data()).rejects.toMatchObject(taken);
    step.dispose();
    expect(await settled()).toBe(live);
  });

  test('of tensors and outputs', async () => {
    const own = tensor(backend, x);
    const output = await net.forward(own);
    expect((await output.data()).length).toBe(3 * N);
    const [numbers, logits] = await Promise.all([own.take(), output.take()]);
    expect(numbers.every((v, i) => v === x.data[i])).toBe(true);
    expect(logits.length).toBe(3 * N);
    await expect(net.backward(own, y)).rejects.toMatchObject({ code: 'GRADPACK-DISPOSED' });
    expect(await settled()).toBe(live);
  });

  test('of empty tensors, and after the backend’s end', async () => {
    expect((await tensor(backend, { shape: [0], data: [] }).take()).length).toBe(0);
    const late: Tensor = tensor(backend, x);
    const step = await net.backward(x, y);
    await net.dispose();
    await backend.dispose();
    await expect(late.take()).rejects.toMatchObject({ code: 'GRADPACK-DISPOSED' });
    await expect(step.take()).rejects.toMatchObject({ code: 'GRADPACK-DISPOSED' });
    backend = await make();
    net = await netOf();
  });

  test('of numbers that a check refuses', async () => {
    const ids = tensor(
      backend,
      Int32Array.from({ length: N }, () => 9),
    );
    const unseen = { ...ids, '~place': { ...ids['~place'], bounds: undefined } } as unknown as Tensor;
    const step = await net.backward(x, unseen);
    await expect(step.take()).rejects.toMatchObject({ code: 'GRADPACK-INDEX' });
    ids.dispose();
    expect(await settled()).toBe(live);
  });

  test('data() reads into the array that it is given', async () => {
    using step = await net.backward(x, y);
    const weight = step.gradient.get('0.weight');
    const expected = await weight.data();
    for (const into of [new Float32Array(64 * 40), new Float64Array(64 * 40)]) {
      expect(await weight.data(into)).toBe(into);
      expect(into.every((v, i) => v === expected[i] || v === Math.fround(expected[i]!))).toBe(true);
    }
  });
});
