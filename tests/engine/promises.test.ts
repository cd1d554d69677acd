import { cpu } from '@gradpack/backend-cpu';
import { add, extend, type Layer, Module, mul, tensor, type Value } from '@gradpack/core';
import { batchGrad, batchL2Grad, sumGradSquared, variance } from '@gradpack/extensions-firstorder';
import {
  diagGGNExact,
  diagGGNMC,
  diagHessian,
  hessianVectorProduct,
  kfac,
  kflr,
} from '@gradpack/extensions-secondorder';
import { conv2d, dropout, flatten, linear, relu, sequential, sigmoid } from '@gradpack/layers';
import { crossEntropyLoss, scaleLoss } from '@gradpack/losses';
import { type CountingBackend, countingBackend } from '@gradpack/testkit';
import { describe, expect, test } from 'vitest';
import { delayedCpu } from './delayed-backend.js';

const numbers = (length: number, from = 1): Float64Array =>
  Float64Array.from({ length }, (_, i) => Math.sin(from + 1.7 * i));
const images = (N: number) => ({ shape: [N, 1, 6, 6], data: numbers(N * 36) });
const rows = (N: number, F = 5) => ({ shape: [N, F], data: numbers(N * F) });
const labels = (N: number, C = 3) => Int32Array.from({ length: N }, (_, n) => n % C);

const convNet = () => sequential(conv2d(1, 4, 3), sigmoid(), flatten(), linear(64, 8), relu(), linear(8, 3));
const mlp = () => sequential(linear(5, 7), sigmoid(), linear(7, 3));

/** Kernels of the backward pass alone: those of the step without those of the forward pass. */
async function backwardCalls(quantities: Record<string, unknown>, options: object = {}) {
  const backend = countingBackend(cpu());
  const net = await extend(convNet(), crossEntropyLoss(), { backend });
  backend.reset();
  const step = await net.backward(images(6), labels(6), quantities as never, options);
  const { counts } = backend;
  const found = {
    matrix: counts.calls('gemm') + counts.calls('convolve') + counts.calls('convolveTransposed'),
    map: counts.calls('map'),
    outer: counts.calls('outer'),
    gram: counts.calls('gram'),
  };
  step.dispose();
  await net.dispose();
  return found;
}

describe('one pull per layer', () => {
  test('the four first-order quantities pull no more than the gradient, and ask G once per parameter', async () => {
    const alone = await backwardCalls({});
    const together = await backwardCalls({
      individual: batchGrad(),
      norms: batchL2Grad(),
      second: sumGradSquared(),
      noise: variance(),
    });
    expect(together).toEqual(alone);
    expect(alone.outer).toBe(6); // three layers with weight and bias
  });

  test('gradient, exact and sampled columns go through each layer together', async () => {
    const alone = await backwardCalls({});
    const together = await backwardCalls({ exact: diagGGNExact(), sampled: diagGGNMC({ samples: 2 }) });
    expect(together.matrix).toBe(alone.matrix);
    expect(together.outer).toBe(6);
  });

  test('Kronecker factors need no more pulls either, and A once however many ask', async () => {
    const alone = await backwardCalls({});
    const together = await backwardCalls({ sampled: kfac(), exact: kflr(), diagonal: diagGGNExact() });
    expect(together.matrix).toBe(alone.matrix);
    // per quantity one B a layer, which its weight and its bias share; A of three weights, made once
    expect(together.gram).toBe(2 * 3 + 3);
  });

  test('a pull per chunk where columns are cut', async () => {
    const whole = await backwardCalls({ exact: diagGGNExact() });
    const cut = await backwardCalls({ exact: diagGGNExact() }, { columns: 1 });
    expect(cut.outer).toBe(3 * whole.outer); // gradient and two columns
  });
});

describe('nothing of N · |θ| elements', () => {
  const N = 6;
  const sizes = [4 * 9, 64 * 8, 8 * 3];
  test.each([
    ['sumGradSquared', sumGradSquared()],
    ['batchL2Grad', batchL2Grad()],
    ['variance', variance()],
    ['diagGGNExact', diagGGNExact()],
    ['diagGGNMC', diagGGNMC({ samples: 3 })],
    ['diagHessian', diagHessian()],
  ])('%s', async (_, quantity) => {
    const backend = countingBackend(cpu());
    // the widest value has 64 features, so that N · |θ| = 3072 of the second weight is far from every value
    const net = await extend(convNet(), crossEntropyLoss(), { backend });
    using step = await net.backward(images(N), labels(N), { quantity } as never, { columns: 4, inner: 'separate' });
    expect(step).toBeDefined();
    const [program] = backend.counts.ran;
    const lengths = [...program!.slots, ...program!.buffers].map(({ length }) => length);
    expect(Math.max(...lengths)).toBeLessThan(N * Math.max(...sizes));
    expect(Math.max(...backend.counts.allocated.map(({ length }) => length))).toBeLessThan(N * Math.max(...sizes));
  });

  test('and batchGrad, which is of that size, is written in place', async () => {
    const backend = countingBackend(cpu());
    const net = await extend(convNet(), crossEntropyLoss(), { backend });
    backend.reset();
    using step = await net.backward(images(N), labels(N), { individual: batchGrad() });
    const own = backend.counts.allocated.filter(({ length }) => length === N * 512);
    expect(own).toHaveLength(1);
    expect(backend.counts.ran[0]!.slots.filter(({ length }) => length >= N * 512)).toEqual([]);
    expect(step.individual.get('3.weight').shape).toEqual([N, 8, 64]);
  });
});

describe('reads', () => {
  const everything = () => ({ individual: batchGrad(), noise: variance(), curvature: kfac() });
  const made = async (): Promise<[CountingBackend, Awaited<ReturnType<typeof net>>]> => {
    const backend = countingBackend(cpu());
    return [backend, await net(backend)];
  };
  const net = (backend: CountingBackend) => extend(mlp(), crossEntropyLoss(), { backend });

  test('none before the user reads', async () => {
    const [backend, n] = await made();
    const x = tensor(backend, rows(4));
    const y = tensor(backend, labels(4));
    for (let i = 0; i < 3; i++) {
      const step = await n.backward(x, y, everything());
      await n.update(step.gradient, { scale: -0.1 });
      step.dispose();
    }
    expect(backend.counts.reads).toBe(0);
  });

  test('checkFinite reads one word', async () => {
    const [backend, n] = await made();
    using step = await n.backward(rows(4), labels(4), everything(), { checkFinite: true });
    expect(step).toBeDefined();
    expect(backend.counts.reads).toBe(1);
  });

  test('everything of a step by one transfer', async () => {
    const [backend, n] = await made();
    using step = await n.backward(rows(4), labels(4), everything());
    const { loss, gradient, individual, curvature } = await step.read();
    expect(backend.counts.reads).toBe(1);
    expect(loss).toBe((await step.loss.data())[0]);
    expect(gradient.get('0.weight').data).toHaveLength(35);
    expect(individual.get('0.weight').shape).toEqual([4, 7, 5]);
    expect(curvature.get('2.weight').input?.shape).toEqual([7, 7]);
  });

  test('also where ids are checked on the device', async () => {
    const [backend, n] = await made();
    const unseen = backend.allocate('int32', 4);
    backend.write(unseen, labels(4));
    const { tensorAt } = await import('@gradpack/core');
    using step = await n.backward(rows(4), tensorAt(backend, unseen, [4]));
    expect(backend.counts.reads).toBe(0);
    await step.read();
    expect(backend.counts.reads).toBe(1);
  });

  test('what is read in one microtask shares a transfer', async () => {
    const [backend, n] = await made();
    using step = await n.backward(rows(4), labels(4), everything());
    await Promise.all([step.loss.data(), step.individual.data(), step.gradient.get('0.bias').data()]);
    expect(backend.counts.reads).toBe(1);
  });
});

describe('plans', () => {
  test('batches of 32, 32, 5, 32, 5 record twice', async () => {
    const backend = countingBackend(cpu());
    const net = await extend(mlp(), crossEntropyLoss(), { backend });
    for (const N of [32, 32, 5, 32, 5]) (await net.backward(rows(N), labels(N), { curvature: kfac() })).dispose();
    expect(backend.counts.prepared).toHaveLength(2);
    expect(backend.counts.ran).toHaveLength(5);
  });

  test('a net keeps the eight it used last', async () => {
    const backend = countingBackend(cpu());
    const net = await extend(mlp(), crossEntropyLoss(), { backend });
    const use = async (...sizes: number[]) => {
      backend.reset();
      for (const N of sizes) (await net.backward(rows(N), labels(N))).dispose();
      return backend.counts.prepared.length;
    };
    expect(await use(1, 2, 3, 4, 5, 6, 7, 8)).toBe(8);
    expect(await use(8, 1, 2, 3)).toBe(0);
    expect(backend.memory().plans).toBe(8);
    expect(await use(9)).toBe(1); // 4 falls out
    expect(await use(5, 6, 7, 8, 1, 2, 3, 9)).toBe(0);
    expect(await use(4)).toBe(1);
    expect(backend.memory().plans).toBe(8);
    await net.dispose();
    expect(backend.memory().plans).toBe(0);
  });

  test('the number of mul, the magnitude of the loss’s scale, the seed and the scale of update are no part of them', async () => {
    let factor = 2;
    class Scaled extends Module {
      readonly fc = linear(5, 3);
      forward(x: Value): Value {
        return mul(this.fc.forward(x), factor);
      }
    }
    const backend = countingBackend(cpu({ precision: 'float64' }));
    const model = new Scaled();
    const gradientOf = async (scale: number) => {
      const net = await extend(model, scaleLoss(crossEntropyLoss(), scale), { backend });
      const before = backend.counts.prepared.length;
      const step = await net.backward(rows(4), labels(4), { noise: diagGGNMC() });
      const { loss, gradient } = await step.read();
      step.dispose();
      return { net, loss, gradient: gradient.get('fc.weight').data, before };
    };
    const first = await gradientOf(1);
    const { net } = first;
    backend.reset();
    factor = 3;
    net.loadState({ seed: 5, step: 11 });
    const other = await (await net.backward(rows(4), labels(4), { noise: diagGGNMC() })).read();
    expect(backend.counts.prepared).toHaveLength(0);
    expect(other.loss).not.toBe(first.loss);
    Object.assign(net.loss, { scale: 2 });
    expect(backend.counts.prepared).toHaveLength(0);
    await net.update({ 'fc.bias': [1, 2, 3] }, { scale: 0.5 });
    await net.update({ 'fc.bias': [3, 2, 1] }, { scale: -0.25 });
    expect(backend.counts.prepared).toHaveLength(1); // of the update
  });

  test('a scaled loss scales by its bound number', async () => {
    const backend = countingBackend(cpu({ precision: 'float64' }));
    const loss = { ...scaleLoss(crossEntropyLoss(), 2) } as { scale: number } & ReturnType<typeof crossEntropyLoss>;
    const net = await extend(mlp(), loss, { backend });
    const read = async () => (await net.backward(rows(4), labels(4), { curvature: diagGGNExact() })).read();
    const twice = await read();
    loss.scale = 6;
    const sixfold = await read();
    expect(backend.counts.prepared).toHaveLength(1);
    expect(sixfold.loss).toBeCloseTo(3 * twice.loss, 12);
    const [a, b] = [twice, sixfold].map(({ curvature }) => curvature.get('0.weight').data);
    b!.forEach((value, i) => {
      expect(value).toBeCloseTo(3 * a![i]!, 12);
    });
  });

  test('what forward() returns is part of them', async () => {
    let first = true;
    class Either extends Module {
      readonly a = linear(5, 3);
      readonly b = linear(5, 3);
      forward(x: Value): Value {
        const [a, b] = [this.a.forward(x), this.b.forward(x)];
        return first ? a : b;
      }
    }
    const net = await extend(new Either(), crossEntropyLoss(), { backend: cpu() });
    const one = await (await net.backward(rows(4), labels(4))).read();
    first = false;
    const other = await (await net.backward(rows(4), labels(4))).read();
    expect(one.loss).not.toBe(other.loss);
    expect(other.gradient.has('a.weight')).toBe(false);
    expect(other.gradient.has('b.weight')).toBe(true);
  });

  test('freezing makes another plan', async () => {
    const backend = countingBackend(cpu());
    const model = mlp();
    const net = await extend(model, crossEntropyLoss(), { backend });
    (await net.backward(rows(4), labels(4))).dispose();
    model.layers[0].weight.trainable = false;
    const step = await net.backward(rows(4), labels(4));
    expect(backend.counts.prepared).toHaveLength(2);
    expect([...step.gradient].map(([name]) => name)).toEqual(['0.bias', '2.weight', '2.bias']);
  });
});

describe('frozen parameters', () => {
  const calls = async (freeze: readonly string[]) => {
    const backend = countingBackend(cpu());
    const model = sequential(linear(5, 7), sigmoid(), linear(7, 6), sigmoid(), linear(6, 3));
    const net = await extend(model, crossEntropyLoss(), { backend });
    for (const name of freeze) net.parameters.get(name)!.trainable = false;
    using step = await net.backward(rows(4), labels(4), { curvature: diagGGNExact() });
    return {
      gemm: backend.counts.calls('gemm'),
      outer: backend.counts.calls('outer'),
      names: [...step.gradient].length,
    };
  };

  test('stop the pull below the lowest trainable use', async () => {
    // three forward, and backward through the upper two
    expect(await calls([])).toEqual({ gemm: 5, outer: 6, names: 6 });
    expect(await calls(['0.weight', '0.bias'])).toEqual({ gemm: 4, outer: 4, names: 4 });
    expect(await calls(['0.weight', '0.bias', '2.weight', '2.bias'])).toEqual({ gemm: 3, outer: 2, names: 2 });
  });
  test('in the middle cost no extraction, but are pulled through', async () => {
    expect(await calls(['2.weight', '2.bias'])).toEqual({ gemm: 5, outer: 4, names: 4 });
  });
  test('everywhere leave the loss alone', async () => {
    expect(await calls(['0.weight', '0.bias', '2.weight', '2.bias', '4.weight', '4.bias'])).toEqual({
      gemm: 3,
      outer: 0,
      names: 0,
    });
  });
});

describe('memory limits', () => {
  const values = async (
    memoryLimit?: number,
    quantities: object = { hessian: diagHessian(), exact: diagGGNExact() },
  ) => {
    const backend = countingBackend(cpu({ precision: 'float64' }));
    const net = await extend(convNet(), crossEntropyLoss(), { backend });
    const step = await net.backward(images(6), labels(6), quantities as never, memoryLimit ? { memoryLimit } : {});
    const { bytes, calls } = backend.counts.ran[0]!;
    const found = await step.read();
    return { total: bytes.scratch + bytes.kept + bytes.results, calls: calls.length, found };
  };

  test('make smaller chunks with equal results', async () => {
    const free = await values();
    const half = await values(free.total / 2);
    const tight = await values(half.total * 0.6);
    expect(half.total).toBeLessThanOrEqual(free.total / 2);
    expect(tight.total).toBeLessThanOrEqual(half.total * 0.6);
    expect(tight.calls).toBeGreaterThan(half.calls);
    for (const { found } of [half, tight])
      for (const name of ['gradient', 'hessian', 'exact'] as const) {
        const [a, b] = [free.found, found].map((x) => (x as unknown as Record<string, Iterable<never>>)[name]!);
        const pairs = [...a!].map((entry, i) => [entry, [...b!][i]]) as unknown as [
          [string, unknown, { data: Float64Array }],
          [string, unknown, { data: Float64Array }],
        ][];
        for (const [[parameter, , x], [, , y]] of pairs) {
          const largest = Math.max(...x.data.map(Math.abs));
          x.data.forEach((value, i) => {
            expect(Math.abs(value - y.data[i]!), `${name} of ${parameter}`).toBeLessThanOrEqual(1e-12 * largest);
          });
        }
      }
  });
});

describe('inner columns', () => {
  class Residual extends Module {
    readonly body = sequential(linear(5, 5), sigmoid());
    forward(x: Value): Value {
      return add(this.body.forward(x), x);
    }
  }
  test('growing: one pull per layer, whatever is born inside', async () => {
    const calls = async (options: object) => {
      const backend = countingBackend(cpu());
      const model = sequential(linear(5, 5), sigmoid(), new Residual(), linear(5, 3));
      const net = await extend(model, crossEntropyLoss(), { backend });
      const step = await net.backward(rows(4), labels(4), { hessian: diagHessian() }, options);
      step.dispose();
      return backend.counts.calls('gemm');
    };
    const growing = await calls({ inner: 'growing' });
    const separate = await calls({ inner: 'separate' });
    expect(growing).toBe(3 + 2);
    expect(separate).toBeGreaterThan(growing);
  });
});

describe('calls that overlap', () => {
  const net = async (backend: CountingBackend, layers: () => Module<Layer> = mlp) =>
    extend(layers(), crossEntropyLoss(), { backend, seed: 3 });

  test('two backwards at once give what they give one by one', async () => {
    const withDropout = () => sequential(linear(5, 7), dropout(0.5), linear(7, 3));
    const read = async (overlapping: boolean) => {
      const n = await net(countingBackend(delayedCpu()), withDropout);
      const calls = [4, 6, 4].map((N) => () => n.backward(rows(N), labels(N), { norms: batchL2Grad() } as never));
      const steps = overlapping ? await Promise.all(calls.map((call) => call())) : [];
      if (!overlapping) for (const call of calls) steps.push(await call());
      return Promise.all(steps.map(async (step) => (await step.read()).loss));
    };
    expect(await read(true)).toEqual(await read(false));
  });

  test('at most two are in flight', async () => {
    const backend = countingBackend(delayedCpu());
    const n = await net(backend);
    const steps = await Promise.all([1, 2, 3, 4, 5].map((N) => n.backward(rows(N), labels(N))));
    expect(backend.counts.inFlight).toBe(2);
    for (const step of steps) step.dispose();
    await n.dispose();
  });

  test('updates, sets and reads come in call order', async () => {
    const backend = countingBackend(delayedCpu());
    const n = await net(backend);
    const bias = n.parameters.get('2.bias')!;
    const first = n.backward(rows(4), labels(4));
    const second = n.backward(rows(5), labels(5));
    bias.set([1, 0, 0]);
    const moved = n.update({ '2.bias': [0, 1, 0] });
    const read = bias.data();
    bias.set([0, 0, 0]);
    expect([...(await read).data]).toEqual([1, 1, 0]);
    expect([...(await bias.data()).data]).toEqual([0, 0, 0]);
    await moved;
    for (const step of await Promise.all([first, second])) step.dispose();
  });

  test('more than eight plans at once: none is given back before it has run', async () => {
    const backend = countingBackend(delayedCpu());
    const n = await net(backend);
    const sizes = Array.from({ length: 12 }, (_, i) => i + 1);
    const steps = await Promise.all(sizes.map((N) => n.backward(rows(N), labels(N))));
    expect(steps.map((step) => step.loss.shape)).toEqual(sizes.map(() => []));
    for (const step of steps) step.dispose();
    await n.dispose();
    await backend.read([]); // what was asked for before is done then
    expect(backend.memory()).toMatchObject({ live: 0, plans: 0 });
  });

  test('dispose after update is called, before it has run', async () => {
    const backend = countingBackend(delayedCpu());
    const n = await net(backend);
    const step = await n.backward(rows(4), labels(4));
    const others = [n.backward(rows(4), labels(4)), n.backward(rows(4), labels(4))];
    const moved = n.update(step.gradient, { scale: -1 });
    step.dispose();
    await moved;
    for (const other of await Promise.all(others)) other.dispose();
    await n.dispose();
    await backend.read([]); // what was asked for before is done then
    expect(backend.memory().live).toBe(0);
  });

  test('a product outlives its plan in the cache, and ends with its step', async () => {
    const backend = countingBackend(delayedCpu());
    const n = await net(backend);
    const step = await n.backward(rows(20), labels(20), { hvp: hessianVectorProduct() });
    const v = { '2.bias': [1, 0, 0] };
    const before = (await (await step.hvp(v)).data()).get('2.bias').data;
    for (let N = 1; N <= 8; N++) (await n.backward(rows(N), labels(N))).dispose();
    expect((await (await step.hvp(v)).data()).get('2.bias').data).toEqual(before);
    expect(
      (
        await (
          await step.hvp({
            '2.bias': [
              [1, 0, 0],
              [0, 1, 0],
            ],
          })
        ).data()
      )
        .get('2.bias')
        .data.slice(0, 3),
    ).toEqual(before);
    expect(backend.memory().plans).toBe(8 + 2);
    step.dispose();
    await n.parameters.get('2.bias')!.data();
    expect(backend.memory().plans).toBe(8);
    await n.dispose();
    await backend.read([]); // what was asked for before is done then
    expect(backend.memory()).toMatchObject({ live: 0, plans: 0 });
  });

  test('a step that is disposed while its product runs', async () => {
    const backend = countingBackend(delayedCpu());
    const n = await net(backend);
    const step = await n.backward(rows(4), labels(4), { hvp: hessianVectorProduct() });
    const product = step.hvp({ '2.bias': [1, 0, 0] });
    step.dispose();
    await expect(product).rejects.toMatchObject({ code: 'GRADPACK-DISPOSED' });
    await n.dispose();
    await backend.read([]); // what was asked for before is done then
    expect(backend.memory()).toMatchObject({ live: 0, plans: 0 });
  });
});
