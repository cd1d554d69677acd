import { describe, expect, it } from 'vitest';
import type { NetSpec } from '../../src/net-spec.js';
import { randomLabels, randomNet, seededRandom } from '../../src/random-net/index.js';
import { evaluate, nearKink } from '../../src/truth/index.js';

const nets = Array.from({ length: 300 }, (_, seed) => randomNet(seededRandom(seed)));
const some = (has: (net: NetSpec) => boolean): boolean => nets.some(has);

it('is a function of the random numbers', () => {
  expect(randomNet(seededRandom(7))).toEqual(randomNet(seededRandom(7)));
  expect(randomNet(seededRandom(7))).not.toEqual(randomNet(seededRandom(8)));
});

it('draws small nets away from kinks', () => {
  for (const net of nets) {
    const entries = Object.values(net.parameters).reduce((sum, { data }) => sum + data.length, 0);
    expect(entries).toBeLessThanOrEqual(120);
    const { output } = evaluate(net);
    expect(output.data.length / output.shape[0]!).toBeLessThanOrEqual(12);
    expect(output.shape[0]).toBeLessThanOrEqual(4);
    expect(nearKink(net)).toBeGreaterThan(1e-3);
  }
});

it('starts from float32 numbers', () => {
  for (const net of nets) {
    const arrays = [...Object.values(net.parameters), ...Object.values(net.inputs), net.loss.target];
    for (const { data } of arrays) expect(data.every((value) => Math.fround(value) === value)).toBe(true);
  }
});

describe('over 300 seeds there is', () => {
  it.each([
    'linear',
    'conv1d',
    'conv2d',
    'maxPool2d',
    'avgPool2d',
    'zeroPad2d',
    'relu',
    'sigmoid',
    'tanh',
    'identity',
    'flatten',
    'embedding',
    'dropout',
    'batchNorm2d',
    'add',
    'mul',
    'scale',
    'concat',
    'reshape',
    'permute',
    'slice',
  ] as const)('%s', (op) => expect(some(({ nodes }) => nodes.some((node) => node.op === op))).toBe(true)); // prettier-ignore

  it.each(['zeros', 'reflect', 'replicate', 'circular'] as const)('padding with %s', (mode) => {
    expect(some(({ nodes }) => nodes.some((node) => 'paddingMode' in node && node.paddingMode === mode))).toBe(true);
  });

  const uses = ({ nodes }: NetSpec): string[] =>
    nodes.flatMap((node) => ('parameters' in node ? [`${node.op} ${node.parameters.weight}`] : []));

  it.each(['linear', 'conv1d', 'conv2d', 'embedding'])('a tied %s', (op) => {
    const isTied = (net: NetSpec): boolean => {
      const own = uses(net).filter((use) => use.startsWith(`${op} `));
      return new Set(own).size < own.length;
    };
    expect(some(isTied)).toBe(true);
  });

  it('an embedding tied to its decoder', () => {
    expect(
      some((net) =>
        uses(net).some((use) => use.startsWith('embedding ') && uses(net).includes(use.replace('embedding', 'linear'))),
      ),
    ).toBe(true);
  });

  it('a frozen parameter', () => {
    expect(some(({ parameters }) => Object.values(parameters).some(({ trainable }) => !trainable))).toBe(true);
  });

  it.each(['mean', 'sum'] as const)('each loss with %s, scaled or not', (reduction) => {
    const losses = nets.map(({ loss }) => loss).filter((loss) => loss.reduction === reduction);
    const kinds = losses.map(({ kind, scale, target }) => {
      const positions = kind === 'crossEntropy' && target.shape.length > 1 ? ' with positions' : '';
      return `${scale === undefined ? '' : 'scaled '}${kind}${positions}`;
    });
    expect([...new Set(kinds)].sort()).toEqual([
      'crossEntropy',
      'crossEntropy with positions',
      'mse',
      'scaled crossEntropy',
      'scaled crossEntropy with positions',
      'scaled mse',
    ]);
  });
});

describe('randomLabels', () => {
  it('are class indices of each sample and position', () => {
    const net = nets.find(({ loss }) => loss.kind === 'crossEntropy' && loss.target.shape.length > 1)!;
    const labels = randomLabels(net, seededRandom(0), 5);
    const classes = evaluate(net).output.shape[1]!;
    expect(labels.shape).toEqual([5, ...net.loss.target.shape]);
    expect(labels.data.every((label) => Number.isInteger(label) && label >= 0 && label < classes)).toBe(true);
  });

  it('are standard normals of the shape of a regression target', () => {
    const net = nets.find(({ loss }) => loss.kind === 'mse')!;
    const labels = randomLabels(net, seededRandom(0), 2000);
    const mean = labels.data.reduce((sum, z) => sum + z, 0) / labels.data.length;
    const square = labels.data.reduce((sum, z) => sum + z * z, 0) / labels.data.length;
    expect(labels.shape).toEqual([2000, ...net.loss.target.shape]);
    expect(Math.abs(mean)).toBeLessThan(0.1);
    expect(Math.abs(square - 1)).toBeLessThan(0.2);
  });
});
