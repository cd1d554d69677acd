import { expect, it } from 'vitest';
import type { NetSpec, SpecNode } from '../../src/net-spec.js';
import { nearKink } from '../../src/truth/index.js';

function netOf(node: SpecNode): NetSpec {
  return {
    inputs: { x: { shape: [1, 1, 2, 2], data: [1, -0.25, 0.5, 0.75], dtype: 'float' } },
    parameters: {},
    nodes: [node],
    output: 'y',
    loss: { kind: 'mse', reduction: 'sum', target: { shape: [1], data: [0] } },
  };
}

it('is the smallest input of a ReLU', () => {
  expect(nearKink(netOf({ id: 'y', inputs: ['x'], op: 'relu' }))).toBe(0.25);
});

it('is the smallest lead of a maximum in its window', () => {
  expect(nearKink(netOf({ id: 'y', inputs: ['x'], op: 'maxPool2d', kernelSize: 2 }))).toBe(0.25);
  expect(nearKink(netOf({ id: 'y', inputs: ['x'], op: 'maxPool2d', kernelSize: [2, 1] }))).toBe(0.5);
});

it('is infinite without kinks, also where nothing reads them', () => {
  expect(nearKink(netOf({ id: 'y', inputs: ['x'], op: 'tanh' }))).toBe(Number.POSITIVE_INFINITY);
  const dead = netOf({ id: 'y', inputs: ['x'], op: 'tanh' });
  const nodes: SpecNode[] = [...dead.nodes, { id: 'z', inputs: ['x'], op: 'relu' }];
  expect(nearKink({ ...dead, nodes })).toBe(Number.POSITIVE_INFINITY);
});
