import { cpu } from '@gradpack/backend-cpu';
import {
  type BackwardOptions,
  extend,
  GradPackError,
  philox,
  type Results,
  type Tensor,
  uniformOf,
} from '@gradpack/core';
import { batchGrad } from '@gradpack/extensions-firstorder';
import { diagGGNExact, diagHessian, kfac, kflr, sqrtGGNExact, sqrtGGNMC } from '@gradpack/extensions-secondorder';
import { dropout, linear, sequential, sigmoid } from '@gradpack/layers';
import { crossEntropyLoss, scaleLoss } from '@gradpack/losses';
import { type NetSpec, type SpecArray, type SpecNode, seededRandom, truth } from '@gradpack/testkit';
import { describe, expect, test } from 'vitest';
import { ALL_QUANTITIES, errorsAgainstTruth } from '../support/against-truth.js';
import { nodeBackends } from '../support/backends.js';
import { relativeError } from '../support/compare.js';

const random = seededRandom(20);
const numbers = (...shape: number[]): SpecArray => ({
  shape,
  data: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 1.6 * random() - 0.8),
});
const learned = (...shape: number[]) => ({ ...numbers(...shape), trainable: true });
const frozen = (...shape: number[]) => ({ ...numbers(...shape), trainable: false });
const floats = (...shape: number[]) => ({ ...numbers(...shape), dtype: 'float' as const });
const classes = (C: number, ...shape: number[]): SpecArray => ({
  shape,
  data: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (2 * i + 1) % C),
});
const crossEntropy = (target: SpecArray, scale?: number): NetSpec['loss'] => ({
  kind: 'crossEntropy',
  reduction: 'mean',
  target,
  ...(scale !== undefined && { scale }),
});

type Node = SpecNode & { readonly id: string };
const lin = (id: string, from: string, weight: string, bias?: string): Node => ({
  id,
  op: 'linear',
  inputs: [from],
  parameters: { weight, ...(bias && { bias }) },
});
const conv = (id: string, from: string, weight: string, bias: string): Node => ({
  id,
  op: 'conv2d',
  inputs: [from],
  parameters: { weight, bias },
  padding: 1,
});
const curve = (id: string, from: string, op: 'sigmoid' | 'tanh' | 'flatten' = 'sigmoid'): Node => ({
  id,
  op,
  inputs: [from],
});
const join = (id: string, op: 'add' | 'mul', ...inputs: string[]): Node => ({ id, op, inputs });
const cut = (id: string, from: string, axis: number, start: number, stop: number): Node => ({
  id,
  op: 'slice',
  inputs: [from],
  axis,
  start,
  stop,
});

const nets: Readonly<Record<string, NetSpec>> = {
  'a tied Linear in sequence': {
    inputs: { x: floats(3, 4) },
    parameters: { W: learned(4, 4), b: learned(4), V: learned(3, 4) },
    nodes: [
      lin('1', 'x', 'W', 'b'),
      curve('2', '1'),
      lin('3', '2', 'W', 'b'),
      curve('4', '3', 'tanh'),
      lin('5', '4', 'W'),
      lin('6', '5', 'V'),
    ],
    output: '6',
    loss: crossEntropy(classes(3, 3)),
  },
  'a tied Linear in parallel': {
    inputs: { x: floats(3, 8) },
    parameters: { W: learned(4, 4), b: learned(4), V: learned(3, 4) },
    nodes: [
      cut('a', 'x', 1, 0, 4),
      cut('b', 'x', 1, 4, 8),
      lin('wa', 'a', 'W', 'b'),
      lin('wb', 'b', 'W', 'b'),
      curve('s', 'wa'),
      join('sum', 'add', 's', 'wb'),
      lin('out', 'sum', 'V'),
    ],
    output: 'out',
    loss: crossEntropy(classes(3, 3)),
  },
  'a tied Conv in sequence': {
    inputs: { x: floats(2, 2, 3, 3) },
    parameters: { W: learned(2, 2, 3, 3), b: learned(2), V: learned(3, 18) },
    nodes: [
      conv('1', 'x', 'W', 'b'),
      curve('2', '1'),
      conv('3', '2', 'W', 'b'),
      curve('4', '3', 'tanh'),
      curve('5', '4', 'flatten'),
      lin('6', '5', 'V'),
    ],
    output: '6',
    loss: crossEntropy(classes(3, 2)),
  },
  'a tied Conv in parallel': {
    inputs: { x: floats(2, 4, 3, 3) },
    parameters: { W: learned(2, 2, 3, 3), b: learned(2), V: learned(3, 18) },
    nodes: [
      cut('a', 'x', 1, 0, 2),
      cut('b', 'x', 1, 2, 4),
      conv('wa', 'a', 'W', 'b'),
      conv('wb', 'b', 'W', 'b'),
      curve('s', 'wa'),
      join('product', 'mul', 's', 'wb'),
      curve('flat', 'product', 'flatten'),
      lin('out', 'flat', 'V'),
    ],
    output: 'out',
    loss: crossEntropy(classes(3, 2)),
  },
  'an embedding tied to its decoder': {
    inputs: { ids: { ...classes(5, 2, 3), dtype: 'int32' } },
    parameters: { E: learned(5, 3), W: learned(3, 3), b: learned(5) },
    nodes: [
      { id: 'words', op: 'embedding', inputs: ['ids'], parameters: { weight: 'E' } },
      lin('mix', 'words', 'W'),
      curve('s', 'mix', 'tanh'),
      lin('decoded', 's', 'E', 'b'),
      { id: 'logits', op: 'permute', inputs: ['decoded'], axes: [0, 2, 1] },
    ],
    output: 'logits',
    loss: crossEntropy(classes(5, 2, 3)),
  },
  'a product of two values': {
    inputs: { x: floats(3, 4) },
    parameters: { A: learned(3, 4), a: learned(3), B: learned(3, 4), V: learned(3, 3) },
    nodes: [
      lin('a', 'x', 'A', 'a'),
      lin('b', 'x', 'B'),
      curve('gate', 'b'),
      join('product', 'mul', 'a', 'gate'),
      lin('out', 'product', 'V'),
    ],
    output: 'out',
    loss: crossEntropy(classes(3, 3)),
  },
  'a value times itself': {
    inputs: { x: floats(3, 4) },
    parameters: { A: learned(3, 4), a: learned(3), V: learned(2, 3) },
    nodes: [lin('a', 'x', 'A', 'a'), join('square', 'mul', 'a', 'a'), lin('out', 'square', 'V')],
    output: 'out',
    loss: { kind: 'mse', reduction: 'mean', target: numbers(3, 2) },
  },
  'a residual block': {
    inputs: { x: floats(3, 4) },
    parameters: { A: learned(4, 4), a: learned(4), B: learned(4, 4), b: learned(4), V: learned(3, 4) },
    nodes: [
      lin('in', 'x', 'A', 'a'),
      curve('s', 'in'),
      lin('body', 's', 'B', 'b'),
      curve('t', 'body', 'tanh'),
      join('sum', 'add', 't', 'in'),
      lin('out', 'sum', 'V'),
    ],
    output: 'out',
    loss: crossEntropy(classes(3, 3)),
  },
  'branches that are permutations of one tensor': {
    inputs: { x: floats(2, 6) },
    parameters: { A: learned(9, 6), V: learned(3, 9) },
    nodes: [
      lin('a', 'x', 'A'),
      { id: 'square', op: 'reshape', inputs: ['a'], shape: [3, 3] },
      { id: 'turned', op: 'permute', inputs: ['square'], axes: [0, 2, 1] },
      curve('s', 'turned'),
      join('product', 'mul', 's', 'square'),
      curve('flat', 'product', 'flatten'),
      lin('out', 'flat', 'V'),
    ],
    output: 'out',
    loss: crossEntropy(classes(3, 2)),
  },
  'branches that are overlapping slices of one tensor': {
    inputs: { x: floats(3, 4) },
    parameters: { A: learned(6, 4), a: learned(6), V: learned(3, 8) },
    nodes: [
      lin('a', 'x', 'A', 'a'),
      cut('left', 'a', 1, 0, 4),
      cut('right', 'a', 1, 2, 6),
      curve('s', 'left'),
      { id: 'both', op: 'concat', inputs: ['s', 'right'], axis: 1 },
      lin('out', 'both', 'V'),
    ],
    output: 'out',
    loss: crossEntropy(classes(3, 3)),
  },
  'a scaled loss': {
    inputs: { x: floats(3, 4) },
    parameters: { A: learned(4, 4), a: learned(4), V: learned(3, 4) },
    nodes: [lin('a', 'x', 'A', 'a'), curve('s', 'a'), lin('out', 's', 'V')],
    output: 'out',
    loss: crossEntropy(classes(3, 3), 2.5),
  },
  'a loss with a negative scale': {
    inputs: { x: floats(3, 4) },
    parameters: { A: learned(4, 4), a: learned(4), V: learned(3, 4) },
    nodes: [lin('a', 'x', 'A', 'a'), curve('s', 'a'), lin('out', 's', 'V')],
    output: 'out',
    loss: crossEntropy(classes(3, 3), -1.5),
  },
  'frozen parameters': {
    inputs: { x: floats(3, 4) },
    parameters: { A: frozen(4, 4), a: learned(4), B: frozen(4, 4), b: frozen(4), V: learned(3, 4) },
    nodes: [
      lin('1', 'x', 'A', 'a'),
      curve('2', '1'),
      lin('3', '2', 'B', 'b'),
      curve('4', '3', 'tanh'),
      lin('5', '4', 'B'),
      lin('6', '5', 'V'),
    ],
    output: '6',
    loss: crossEntropy(classes(3, 3)),
  },
};

/** Without a real factor of the Hessian there is no root, and hence no Kronecker factor. */
const withoutRoot = ['sqrtGgnExact', 'sqrtGgnMc', 'kfac', 'kflr'];
const strategies: readonly BackwardOptions[] = [
  {},
  { columns: 1 },
  { columns: 3, inner: 'separate' },
  { inner: 'growing' },
];

describe.each(nodeBackends())(
  'named nets: every quantity equals its definition × $name',
  ({ name: backendName, make, missing, tolerance }) => {
    test.skipIf(missing !== undefined).each(Object.entries(nets))('%s', async (name, spec) => {
      const backend = await make();
      for (const options of backendName === 'cpu float64' ? strategies : [{}]) {
        const errors = await errorsAgainstTruth(spec, backend, seededRandom(3), options);
        expect(errors.filter(({ error, quantity }) => !(error <= tolerance.truth(quantity)))).toEqual([]);
        const compared = new Set(errors.map(({ quantity }) => quantity));
        const left = ALL_QUANTITIES.filter((quantity) => !compared.has(quantity));
        expect(left).toEqual(name === 'a loss with a negative scale' ? withoutRoot : []);
        // by parameter, Kronecker factors alone may be left out: where a parameter is used in two kinds
        const count = (quantity: string) => errors.filter((one) => one.quantity === quantity).length;
        for (const quantity of ALL_QUANTITIES)
          if (!withoutRoot.includes(quantity)) expect(count(quantity), quantity).toBe(count('gradient'));
      }
      expect(backend.memory().live).toBe(0);
      await backend.dispose();
    });
  },
);

describe('a negative scale', () => {
  test('turns the sign of diagonals', async () => {
    const read = async (scale: number) => {
      const net = await extend(
        sequential(linear(4, 3), sigmoid(), linear(3, 3)),
        scaleLoss(crossEntropyLoss(), scale),
        {
          backend: cpu({ precision: 'float64' }),
        },
      );
      const step = await net.backward(numbers64, [0, 2], { exact: diagGGNExact(), hessian: diagHessian() });
      return step.read();
    };
    const numbers64 = { shape: [2, 4], data: Float64Array.from({ length: 8 }, (_, i) => Math.sin(i)) };
    const [plus, minus] = [await read(2), await read(-2)];
    for (const name of ['0.weight', '2.bias'])
      for (const quantity of ['exact', 'hessian'] as const)
        plus[quantity].get(name).data.forEach((value, i) => {
          expect(minus[quantity].get(name).data[i]).toBeCloseTo(-value, 14);
        });
  });
  test.each([
    ['sqrtGGNExact', sqrtGGNExact()],
    ['sqrtGGNMC', sqrtGGNMC()],
    ['kfac', kfac()],
    ['kflr', kflr()],
  ])('refuses %s by name', async (name, quantity) => {
    const net = await extend(sequential(linear(1, 2)), scaleLoss(crossEntropyLoss(), -1), { backend: cpu() });
    const refused = net.backward([[1]], [0], { quantity } as never);
    await expect(refused).rejects.toBeInstanceOf(GradPackError);
    await expect(refused).rejects.toThrow(`${name} needs a real factor of the loss Hessian`);
  });
});

test('dropout: with the mask made again by philox, everything equals the truth', async () => {
  const [N, F, p, seed, step] = [3, 5, 0.4, 9, 4];
  const spec: NetSpec = {
    inputs: { x: floats(N, 4) },
    parameters: { '0.weight': learned(F, 4), '0.bias': learned(F), '3.weight': learned(3, F), '3.bias': learned(3) },
    nodes: [
      lin('l', 'x', '0.weight', '0.bias'),
      curve('s', 'l'),
      {
        id: 'd',
        op: 'dropout',
        inputs: ['s'],
        p,
        mask: {
          shape: [N, F],
          data: Array.from({ length: N * F }, (_, i) => {
            const [n, f] = [Math.floor(i / F), i % F];
            // the third call of forward()
            const words = philox([f >> 2, n, 0, 0x10000 + 3], [seed, step]);
            return uniformOf(words[f & 3] as number) < p ? 0 : 1;
          }),
        },
      },
      lin('out', 'd', '3.weight', '3.bias'),
    ],
    output: 'out',
    loss: crossEntropy(classes(3, N)),
  };
  const model = sequential(linear(4, F), sigmoid(), dropout(p), linear(F, 3));
  model.loadStateDict(
    Object.fromEntries(Object.entries(spec.parameters).map(([name, { shape, data }]) => [name, { shape, data }])),
  );
  const net = await extend(model, crossEntropyLoss(), { backend: cpu({ precision: 'float64' }), seed });
  net.loadState({ seed, step });
  const found = await net.backward(
    spec.inputs.x as never,
    spec.loss.target.data as never,
    {
      batchGrad: batchGrad(),
      diagGgnExact: diagGGNExact(),
      diagHessian: diagHessian(),
      kflr: kflr(),
    } as never,
  );
  const expected = truth(spec);
  for (const quantity of ['gradient', 'batchGrad', 'diagGgnExact', 'diagHessian'] as const) {
    const got = await (found as unknown as Record<string, Results<Tensor>>)[quantity]!.data();
    for (const [name, wanted] of Object.entries(expected[quantity]))
      expect(relativeError(got.get(name), wanted as SpecArray, `${quantity} of ${name}`)).toBeLessThan(1e-10);
  }
});
