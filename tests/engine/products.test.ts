import { cpu } from '@gradpack/backend-cpu';
import { extend, tensor } from '@gradpack/core';
import { hessianVectorProduct } from '@gradpack/extensions-secondorder';
import { linear, sequential, tanh } from '@gradpack/layers';
import { crossEntropyLoss } from '@gradpack/losses';
import { describe, expect, test } from 'vitest';
import { delayedCpu } from './delayed-backend.js';

const x = [
  [1, 2, 3],
  [0, -1, 2],
];
const y = new Int32Array([0, 1]);
const make = () => sequential(linear(3, 4), tanh(), linear(4, 2));

describe('products', () => {
  test('are stale where an update was called before their step had run', async () => {
    const net = await extend(make(), crossEntropyLoss(), { backend: delayedCpu() });
    using first = await net.backward(x, y);
    const called = net.backward(x, y, { hvp: hessianVectorProduct() });
    const updated = net.update(first.gradient, { scale: -1 });
    using step = await called;
    await updated;
    await expect(step.hvp({ '2.bias': [1, 0] })).rejects.toMatchObject({ code: 'GRADPACK-STALE-STEP' });
  });

  test('have rows for trainable parameters only', async () => {
    const model = make();
    model.layers[2].weight.trainable = false;
    const net = await extend(model, crossEntropyLoss(), { backend: cpu() });
    using step = await net.backward(x, y, { hvp: hessianVectorProduct() });
    await expect(step.hvp({ '2.bias': [1, 0] }, { of: ['2.weight'] })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [GradPackError: GRADPACK-NO-RESULT: 2.weight takes no part in the product
        where: hessianVectorProduct
        expected: 0.weight, 0.bias, 2.bias
        got: 2.weight
        fix: name trainable parameters that the output depends on]
    `);
  });

  test('name an input that was disposed before them', async () => {
    const backend = cpu();
    const net = await extend(make(), crossEntropyLoss(), { backend });
    const input = tensor(backend, x);
    using step = await net.backward(input, y, { hvp: hessianVectorProduct() });
    input.dispose();
    await expect(step.hvp({ '2.bias': [1, 0] })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [GradPackError: GRADPACK-DISPOSED: an input of the step was disposed
        where: hessianVectorProduct
        expected: inputs that live as long as the products of their step are used
        got: a disposed one of shape [2, 3]
        fix: dispose the input after the last product, or pass host data, which the step keeps itself]
    `);
  });
});

test('numbers per parameter are results, copies of them, records or maps, for products and updates alike', async () => {
  const model = make();
  const net = await extend(model, crossEntropyLoss(), { backend: cpu({ precision: 'float64' }) });
  using step = await net.backward(x, y, { hvp: hessianVectorProduct() });
  const { gradient } = await step.read();
  const byName = Object.fromEntries([...gradient].map(([name, , value]) => [name, value]));
  const byParameter = new Map([...gradient].map(([, parameter, value]) => [parameter, value]));
  const products = [];
  for (const vectors of [step.gradient, gradient, byName, byParameter, new Map(Object.entries(byName))])
    products.push(await (await step.hvp(vectors)).get('2.bias').data());
  for (const product of products) expect(product).toEqual(products[0]);
  for (const steps of [step.gradient, gradient, byName, byParameter]) await net.update(steps, { scale: 0 });
});

test('quantities in an array are refused', async () => {
  const net = await extend(make(), crossEntropyLoss(), { backend: cpu() });
  const asked = [hessianVectorProduct()] as never;
  await expect(net.backward(x, y, asked)).rejects.toMatchObject({ code: 'GRADPACK-OPTION' });
});
