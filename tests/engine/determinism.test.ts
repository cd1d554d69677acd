import { cpu } from '@gradpack/backend-cpu';
import { type Backend, extend, type HostArray, type Module, type NetInput, philox, uniformOf } from '@gradpack/core';
import { batchGrad, variance } from '@gradpack/extensions-firstorder';
import {
  batchDiagGGNMC,
  diagGGNExact,
  diagGGNMC,
  hessianVectorProduct,
  kfac,
  kflr,
  sqrtGGNMC,
} from '@gradpack/extensions-secondorder';
import { dropout, identity, linear, relu, sequential } from '@gradpack/layers';
import { crossEntropyLoss, mseLoss } from '@gradpack/losses';
import { describe, expect, test } from 'vitest';
import { nodeBackends } from '../support/backends.js';

const x = { shape: [4, 3], data: Float64Array.from({ length: 12 }, (_, i) => Math.sin(1 + 2 * i)) };
const y = [0, 1, 2, 1];
const model = () => sequential(linear(3, 5), dropout(0.4), relu(), linear(5, 3));

type Read = Record<string, { get(name: string): unknown }> & { loss: number };
async function read(
  net: Awaited<ReturnType<typeof extend>>,
  quantities: object = {},
  options: object = {},
  [input, target]: readonly [NetInput, NetInput] = [x, y],
): Promise<Read> {
  const step = await net.backward(input, target, quantities as never, options);
  const found = (await step.read()) as unknown as Read;
  step.dispose();
  return found;
}
const of = (found: Read, quantity: string, name = '3.weight') => found[quantity]!.get(name) as HostArray;
const netOf = async (backend: Backend, seed = 7, make: () => Module = model) =>
  (await extend(make(), crossEntropyLoss(), { backend, seed })) as unknown as Awaited<ReturnType<typeof extend>>;

describe.each(nodeBackends())('the same seed and step draw the same × $name', ({ make, missing }) => {
  test.skipIf(missing !== undefined)('masks, and labels but for rounding, as on cpu float64', async () => {
    const backend = await make();
    const draw = async (on: Backend) => {
      const net = await netOf(on);
      const losses: number[] = [];
      const roots: HostArray[] = [];
      for (let i = 0; i < 3; i++) {
        const found = await read(net, { root: sqrtGGNMC({ samples: 3 }) });
        losses.push(found.loss);
        roots.push(of(found, 'root', '3.bias'));
      }
      await net.dispose();
      return { losses, roots };
    };
    const [a, b] = [await draw(cpu({ precision: 'float64' })), await draw(backend)];
    expect(new Set(a.losses).size).toBe(3);
    a.losses.forEach((loss, i) => {
      expect(Math.abs(b.losses[i]! - loss)).toBeLessThan(1e-5 * Math.abs(loss));
    });
    a.roots.forEach(({ data }, i) => {
      data.forEach((value, j) => {
        expect(Math.abs(b.roots[i]!.data[j]! - value)).toBeLessThan(1e-5);
      });
    });
    await backend.dispose();
  });
});

describe('the state of a net', () => {
  test('counts every backward, failed ones too', async () => {
    const net = await netOf(cpu());
    expect(net.state()).toEqual({ seed: 7, step: 0 });
    await read(net);
    await expect(net.backward([[1]], y)).rejects.toThrow();
    await expect(net.backward(x, y, {}, { memoryLimit: 1 })).rejects.toThrow();
    (await net.forward(x)).dispose();
    expect(net.state()).toEqual({ seed: 7, step: 3 });
  });
  test('goes on where another left off', async () => {
    const first = await netOf(cpu());
    await read(first);
    const state = first.state();
    const expected = [await read(first, { curvature: kfac() }), await read(first, { curvature: kfac() })];
    const second = await netOf(cpu());
    second.loadState(state);
    for (const { loss, curvature } of expected) {
      const found = await read(second, { curvature: kfac() });
      expect(found.loss).toBe(loss);
      expect(found.curvature!.get('3.weight')).toEqual(curvature!.get('3.weight'));
    }
  });
  test('other seeds, other draws and other initial values', async () => {
    const [a, b] = [await netOf(cpu(), 1), await netOf(cpu(), 2)];
    expect((await a.parameters.get('0.weight')!.data()).data).not.toEqual(
      (await b.parameters.get('0.weight')!.data()).data,
    );
    a.loadState({ seed: 1, step: 5 });
    const one = (await read(a)).loss;
    a.loadState({ seed: 2, step: 5 });
    const two = (await read(a)).loss;
    a.loadState({ seed: 1, step: 6 });
    const three = (await read(a)).loss;
    expect(new Set([one, two, three]).size).toBe(3);
  });
});

describe('sampled quantities', () => {
  const plain = () => sequential(linear(3, 5), relu(), identity(), linear(5, 3));
  test('share draws where samples are equal', async () => {
    const net = await netOf(cpu({ precision: 'float64' }), 7, plain);
    const found = await read(net, {
      a: diagGGNMC({ samples: 2 }),
      b: batchDiagGGNMC({ samples: 2 }),
      root: sqrtGGNMC({ samples: 2 }),
      other: diagGGNMC({ samples: 3 }),
    });
    const { data } = of(found, 'a');
    const rows = of(found, 'b');
    const root = of(found, 'root');
    data.forEach((value, i) => {
      const sum = [0, 1, 2, 3].reduce((s, n) => s + rows.data[n * data.length + i]!, 0);
      expect(sum).toBeCloseTo(value, 12);
      let squares = 0;
      for (let v = 0; v < 8; v++) squares += root.data[v * data.length + i]! ** 2;
      expect(squares).toBeCloseTo(value, 12);
    });
    expect(of(found, 'other').data).not.toEqual(data);
  });
  test('draw anew in each step, with a seed of their own the same', async () => {
    const net = await netOf(cpu(), 7, plain);
    const ask = { free: diagGGNMC(), fixed: diagGGNMC({ seed: 3 }) };
    const [a, b] = [await read(net, ask), await read(net, ask)];
    expect(of(a, 'free').data).not.toEqual(of(b, 'free').data);
    expect(of(a, 'fixed').data).toEqual(of(b, 'fixed').data);
    const alone = await read(net, { fixed: diagGGNMC({ seed: 3 }) });
    expect(of(alone, 'fixed').data).toEqual(of(a, 'fixed').data);
    const another = await read(net, { fixed: diagGGNMC({ seed: 4 }) });
    expect(of(another, 'fixed').data).not.toEqual(of(a, 'fixed').data);
  });
  test('draw the same in chunks', async () => {
    const net = await netOf(cpu({ precision: 'float64' }), 7, plain);
    const ask = { sampled: diagGGNMC({ samples: 5, seed: 1 }), curvature: kfac({ samples: 5, seed: 1 }) };
    const whole = await read(net, ask);
    const cut = await read(net, ask, { columns: 2 });
    of(whole, 'sampled').data.forEach((value, i) => {
      expect(of(cut, 'sampled').data[i]).toBeCloseTo(value, 12);
    });
  });
});

describe('dropout', () => {
  test('the mask does not depend on the quantities or their chunks', async () => {
    const losses = [];
    for (const [quantities, options] of [
      [{}, {}],
      [{ individual: batchGrad(), noise: variance() }, {}],
      [{ sampled: diagGGNMC({ samples: 4 }), exact: diagGGNExact(), hvp: hessianVectorProduct() }, { columns: 1 }],
    ] as const) {
      const net = await netOf(cpu());
      losses.push((await read(net, quantities, options)).loss);
    }
    expect(new Set(losses).size).toBe(1);
  });
  test('it is drawn by Philox from seed, step, call, sample and position', async () => {
    const p = 0.4;
    const layers = () => sequential(dropout(0.9), dropout(p));
    const [seed, step] = [11, 5];
    const net = await extend(layers(), mseLoss({ reduction: 'sum' }), { backend: cpu({ precision: 'float64' }), seed });
    net.loadState({ seed, step });
    const output = await net.forward({ shape: [2, 7], data: new Float64Array(14).fill(1) }, { mode: 'train' });
    const got = await output.data();
    const kept = (call: number, n: number, i: number, rate: number): number => {
      const words = philox([i >> 2, n, 0, 0x10000 + call], [seed, step]);
      return uniformOf(words[i & 3] as number) < rate ? 0 : 1 / (1 - rate);
    };
    for (let n = 0; n < 2; n++)
      for (let i = 0; i < 7; i++) expect(got[n * 7 + i]).toBeCloseTo(kept(1, n, i, 0.9) * kept(2, n, i, p), 12);
  });
  test('forward in training mode uses the mask of the next step, evaluation none', async () => {
    const net = await extend(sequential(dropout(0.5)), mseLoss({ reduction: 'sum' }), {
      backend: cpu({ precision: 'float64' }),
    });
    const ones = { shape: [3, 6], data: new Float64Array(18).fill(1) };
    const sum = async (mode?: 'train') => {
      const output = await net.forward(ones, mode && { mode });
      let squares = 0;
      for (const value of await output.data()) squares += value ** 2;
      return squares;
    };
    const train = await sum('train');
    expect(await sum()).toBe(18);
    const found = await read(net as never, {}, {}, [ones, { shape: [3, 6], data: new Float64Array(18) }]);
    expect(found.loss).toBe(train);
  });
});

describe('sampled quantities are unbiased', () => {
  /**
   * Means over `M` independent draws of a fixed net. Each entry is judged by its own standard error; with K entries the largest of K
   * normal deviations stays below 5 with a probability above 1 − 6e-7 · K.
   */
  const confidence = 5;
  const M = 4000;
  const steps = 5;

  const losses = [
    ['cross-entropy', crossEntropyLoss(), y, 3],
    ['squared error', mseLoss(), { shape: [4, 3], data: new Float64Array(12) }, 3],
  ] as const;
  test.each(losses)('%s: DiagGGNMC, and the output factor of KFAC', async (_, loss, target) => {
    const net = await extend(sequential(linear(3, 4), relu(), linear(4, 3)), loss, {
      backend: cpu({ precision: 'float64' }),
      seed: 5,
    });
    const exact = await read(net as never, { diagonal: diagGGNExact(), factors: kflr() }, {}, [x, target]);
    // every step gives the mean over M draws; the spread of `steps` of them says how far the mean may be off
    const draws: Read[] = [];
    for (let i = 0; i < steps; i++)
      draws.push(
        await read(net as never, { diagonal: diagGGNMC({ samples: M }), factors: kfac({ samples: M }) }, {}, [
          x,
          target,
        ]),
      );
    // one draw alone for the size of a deviation
    const singles: Read[] = [];
    for (let i = 0; i < 300; i++)
      singles.push(await read(net as never, { diagonal: diagGGNMC(), factors: kfac() }, {}, [x, target]));
    for (const name of ['0.weight', '0.bias', '2.weight', '2.bias'])
      for (const pick of [
        (found: Read) => of(found, 'diagonal', name).data,
        (found: Read) => (found.factors!.get(name) as { output: HostArray }).output.data,
      ]) {
        const wanted = pick(exact);
        const scale = Math.max(...wanted.map(Math.abs));
        wanted.forEach((value, i) => {
          const mean = draws.reduce((sum, found) => sum + pick(found)[i]!, 0) / steps;
          const single = Math.sqrt(
            singles.reduce((sum, found) => sum + (pick(found)[i]! - value) ** 2, 0) / singles.length,
          );
          expect(Math.abs(mean - value), `${name} ${i}`).toBeLessThanOrEqual(
            (confidence * 1.2 * single) / Math.sqrt(steps * M) + 1e-12 * scale,
          );
        });
      }
  });
});
