import { describe, expect, it } from 'vitest';
import type { NetSpec } from '../../src/net-spec.js';
import { truth } from '../../src/truth/index.js';
import { expectWithin } from '../within.js';

/** A convolution of two groups, a per-channel scale, a linear layer. */
const net: NetSpec = {
  inputs: { x: { shape: [2, 2, 3], data: [1, 2, -1, 0.5, -0.5, 1, 2, 0, 1, -1, 1, 0.5], dtype: 'float' } },
  parameters: {
    w: { shape: [4, 1, 2], data: [0.5, -1, 1, 0.25, -0.5, 0.75, 1, -0.25], trainable: true },
    b: { shape: [4], data: [0.1, 0.2, -0.1, 0], trainable: true },
    scale: { shape: [4], data: [1, 2, 0.5, -1], trainable: true },
    shift: { shape: [4], data: [0, 0.1, 0.2, 0.3], trainable: true },
    v: { shape: [3, 8], data: Array.from({ length: 24 }, (_, i) => Math.sin(i)), trainable: true },
  },
  nodes: [
    { id: 'h', inputs: ['x'], op: 'conv1d', parameters: { weight: 'w', bias: 'b' }, groups: 2 },
    { id: 'a', inputs: ['h'], op: 'tanh' },
    {
      id: 'n',
      inputs: ['a'],
      op: 'batchNorm2d',
      parameters: { weight: 'scale', bias: 'shift' },
      runningMean: { shape: [4], data: [0, 0.1, 0, -0.1] },
      runningVar: { shape: [4], data: [1, 0.5, 2, 1] },
      eps: 1e-5,
    },
    { id: 'f', inputs: ['n'], op: 'flatten' },
    { id: 'y', inputs: ['f'], op: 'linear', parameters: { weight: 'v' } },
  ],
  output: 'y',
  loss: { kind: 'crossEntropy', reduction: 'mean', target: { shape: [2], data: [2, 0] } },
};

describe('a grouped convolution under a per-channel scale', () => {
  const { kflr, sqrtGgnExact } = truth(net);

  it('has one pair per group', () => {
    expect(kflr.w?.output.shape).toEqual([2, 2, 2]);
    expect(kflr.w?.input?.shape).toEqual([2, 2, 2]);
  });

  it("the output factors are the bias's diagonal blocks", () => {
    const bias = kflr.b!.output.data;
    const blocks = [0, 1, 4, 5, 10, 11, 14, 15].map((i) => bias[i]!);
    expectWithin(kflr.w?.output, { shape: [2, 2, 2], data: blocks }, 1e-12);
  });

  it('the input factors are the mean over samples of u uᵀ summed over windows', () => {
    // group 0 reads 1 2 −1 and 2 0 1; group 1 reads .5 −.5 1 and −1 1 .5
    const first = [(1 + 4 + 4 + 0) / 2, (2 - 2 + 0 + 0) / 2, 0, (4 + 1 + 0 + 1) / 2];
    const second = [(0.25 + 0.25 + 1 + 1) / 2, (-0.25 - 0.5 - 1 + 0.5) / 2, 0, (0.25 + 1 + 1 + 0.25) / 2];
    const symmetric = ([a, b, , d]: readonly number[]) => [a!, b!, b!, d!];
    expectWithin(kflr.w?.input, { shape: [2, 2, 2], data: [...symmetric(first), ...symmetric(second)] }, 1e-14);
  });

  it.each(['b', 'scale', 'shift'])('%s has only the output factor Σ G Gᵀ', (name) => {
    const { data } = sqrtGgnExact[name]!;
    const expected = Array.from({ length: 16 }, (_, ij) => {
      let sum = 0;
      for (let row = 0; row < data.length; row += 4) sum += data[row + Math.floor(ij / 4)]! * data[row + (ij % 4)]!;
      return sum;
    });
    expectWithin(kflr[name]?.output, { shape: [4, 4], data: expected }, 1e-12);
    expect(kflr[name]).not.toHaveProperty('input');
  });
});

it('leaves out a weight that is looked up and multiplied with', () => {
  const tied: NetSpec = {
    inputs: { ids: { shape: [1], data: [1], dtype: 'int32' } },
    parameters: { e: { shape: [2, 2], data: [1, 2, 3, 4], trainable: true } },
    nodes: [
      { id: 'h', inputs: ['ids'], op: 'embedding', parameters: { weight: 'e' } },
      { id: 'y', inputs: ['h'], op: 'linear', parameters: { weight: 'e' } },
    ],
    output: 'y',
    loss: { kind: 'crossEntropy', reduction: 'sum', target: { shape: [1], data: [0] } },
  };
  expect(truth(tied).kflr).toEqual({});
  expect(Object.keys(truth(tied).diagHessian)).toEqual(['e']);
});
