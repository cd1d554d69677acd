import { describe, expect, it } from 'vitest';
import type { NetSpec } from '../../src/net-spec.js';
import { randomNet, seededRandom } from '../../src/random-net/index.js';
import {
  evaluate,
  gradientByDifferences,
  hessianDiagonalByDifferences,
  hessianVectorProduct,
  truth,
} from '../../src/truth/index.js';
import { expectAllWithin, expectWithin } from '../within.js';

/** The loss as a function of the trainable parameters. */
function lossOf(net: NetSpec): Parameters<typeof gradientByDifferences>[0] {
  return (parameters) => {
    const moved = Object.entries(parameters).map(([name, array]) => [name, { ...array, trainable: true }]);
    return evaluate({ ...net, parameters: { ...net.parameters, ...Object.fromEntries(moved) } }).loss;
  };
}

/** The gradient to a padding row is zero by convention, not by calculus. */
function withoutPaddingIdx(net: NetSpec): NetSpec {
  const nodes = net.nodes.map((node) => {
    if (node.op !== 'embedding') return node;
    const { paddingIdx: _, ...rest } = node;
    return rest;
  });
  return { ...net, nodes };
}

const sigmoidNet: NetSpec = {
  inputs: { x: { shape: [2, 2], data: [0.5, -1, 1.5, 0.25], dtype: 'float' } },
  parameters: {
    w1: { shape: [3, 2], data: [0.3, -0.7, 1.1, 0.2, -0.4, 0.9], trainable: true },
    b1: { shape: [3], data: [0.1, -0.2, 0.3], trainable: true },
    w2: { shape: [2, 3], data: [0.8, -0.5, 0.6, -0.9, 0.4, 0.7], trainable: true },
  },
  nodes: [
    { id: 'h', inputs: ['x'], op: 'linear', parameters: { weight: 'w1', bias: 'b1' } },
    { id: 's', inputs: ['h'], op: 'sigmoid' },
    { id: 'y', inputs: ['s'], op: 'linear', parameters: { weight: 'w2' } },
  ],
  output: 'y',
  loss: { kind: 'crossEntropy', reduction: 'mean', target: { shape: [2], data: [1, 0] } },
};

describe('a sigmoid net of two layers', () => {
  const { parameters } = sigmoidNet;
  const loss = lossOf(sigmoidNet);

  it('gradient', () => expectAllWithin(truth(sigmoidNet).gradient, gradientByDifferences(loss, parameters), 1e-9));

  it('Hessian diagonal', () => {
    expectAllWithin(truth(sigmoidNet).diagHessian, hessianDiagonalByDifferences(loss, parameters, 1e-3), 1e-6);
  });

  it('each column of the Hessian', () => {
    for (const [name, { shape, data }] of Object.entries(parameters)) {
      for (const entry of data.keys()) {
        const unit = { [name]: { shape, data: data.map((_, i) => (i === entry ? 1 : 0)) } };
        const gradientOf = (distance: number) => {
          const moved = { ...parameters[name]!, data: data.with(entry, data[entry]! + distance) };
          return truth({ ...sigmoidNet, parameters: { ...parameters, [name]: moved } }).gradient;
        };
        const [after, before] = [gradientOf(1e-5), gradientOf(-1e-5)];
        const column = hessianVectorProduct(sigmoidNet, unit);
        for (const other of Object.keys(parameters)) {
          const difference = after[other]!.data.map((g, i) => (g - before[other]!.data[i]!) / 2e-5);
          expectWithin(
            column[other],
            { shape: after[other]!.shape, data: difference },
            1e-7,
            `${name} ${entry} ${other}`,
          );
        }
      }
    }
  });
});

describe.each(Array.from({ length: 15 }, (_, seed) => seed))('random net of seed %i', (seed) => {
  const net = withoutPaddingIdx(randomNet(seededRandom(seed)));
  const t = truth(net);
  const used = Object.fromEntries(Object.keys(t.gradient).map((name) => [name, net.parameters[name]!]));

  it('gradient and Hessian diagonal', () => {
    const close = (a: typeof t.gradient, b: typeof t.gradient): void => {
      const scale = 1 + Math.max(...Object.values(b).flatMap(({ data }) => data.map(Math.abs)));
      for (const [name, { data }] of Object.entries(b)) {
        for (const [i, entry] of data.entries()) {
          expect(Math.abs(entry - (a[name]?.data[i] ?? Number.NaN)), name).toBeLessThan(1e-6 * scale);
        }
      }
    };
    close(t.gradient, gradientByDifferences(lossOf(net), used));
    close(t.diagHessian, hessianDiagonalByDifferences(lossOf(net), used));
  });
});

it('differentiates a function of anything', () => {
  const f = ({ a }: Readonly<Record<string, { readonly data: readonly number[] }>>): number =>
    a!.data[0]! ** 3 * a!.data[1]!;
  const parameters = { a: { shape: [2], data: [2, 5] } };
  expectAllWithin(gradientByDifferences(f, parameters), { a: { shape: [2], data: [60, 8] } }, 1e-9);
  expectAllWithin(hessianDiagonalByDifferences(f, parameters), { a: { shape: [2], data: [60, 0] } }, 1e-6);
});
