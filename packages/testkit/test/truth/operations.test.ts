import { describe, expect, it } from 'vitest';
import type { NetSpec, SpecArray, SpecNode } from '../../src/net-spec.js';
import { evaluate, truth } from '../../src/truth/index.js';

const array = (shape: readonly number[], data: readonly number[]): SpecArray => ({ shape, data });
const counted = (...shape: number[]): SpecArray =>
  array(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 1),
  );

function outputOf(x: SpecArray, node: Operation, parameters: Readonly<Record<string, SpecArray>> = {}): SpecArray {
  return evaluate(netOf(x, node, parameters)).output;
}

type WithoutEdges<N> = N extends SpecNode ? Omit<N, 'id' | 'inputs'> : never;
type Operation = WithoutEdges<SpecNode>;

function netOf(x: SpecArray, operation: Operation, parameters: Readonly<Record<string, SpecArray>>): NetSpec {
  const node = { id: 'y', inputs: ['x'], ...operation } as SpecNode;
  const trainable = Object.entries(parameters).map(([name, value]) => [name, { ...value, trainable: true }]);
  const target = array([1_000], Array<number>(1_000).fill(0));
  return {
    inputs: { x: { ...x, dtype: 'float' } },
    parameters: Object.fromEntries(trainable),
    nodes: [node],
    output: 'y',
    loss: { kind: 'mse', reduction: 'sum', target },
  };
}

describe('conv1d of 1 2 3 4 with 1 10 100', () => {
  const x = counted(1, 1, 4);
  const w = array([1, 1, 3], [1, 10, 100]);
  const convolve = (options: object): readonly number[] =>
    outputOf(x, { op: 'conv1d', parameters: { weight: 'w' }, ...options }, { w }).data;

  it('valid', () => expect(convolve({})).toEqual([321, 432]));
  it('stride and padding', () => expect(convolve({ stride: 2, padding: 1 })).toEqual([210, 432]));
  it('zeros', () => expect(convolve({ padding: 1 })).toEqual([210, 321, 432, 43]));
  it('reflect', () => expect(convolve({ padding: 1, paddingMode: 'reflect' })).toEqual([212, 321, 432, 343]));
  it('replicate', () => expect(convolve({ padding: 1, paddingMode: 'replicate' })).toEqual([211, 321, 432, 443]));
  it('circular', () => expect(convolve({ padding: 1, paddingMode: 'circular' })).toEqual([214, 321, 432, 143]));
  it('same with dilation', () => expect(convolve({ padding: 'same', dilation: 2 })).toEqual([310, 420, 31, 42]));
});

it("'same' puts the smaller half of an odd total low", () => {
  const w = array([1, 1, 2], [1, 10]);
  const y = outputOf(counted(1, 1, 3), { op: 'conv1d', parameters: { weight: 'w' }, padding: 'same' }, { w });
  expect(y.data).toEqual([21, 32, 3]);
});

it('conv2d with groups equals its loops', () => {
  const x = counted(2, 4, 3, 3);
  const w = counted(2, 2, 2, 2);
  const b = array([2], [0.5, -0.5]);
  const parameters = { weight: 'w', bias: 'b' };
  const y = outputOf(x, { op: 'conv2d', parameters, groups: 2 }, { w, b });
  const expected: number[] = [];
  for (let n = 0; n < 2; n++)
    for (let o = 0; o < 2; o++)
      for (let row = 0; row < 2; row++)
        for (let column = 0; column < 2; column++) {
          let sum = b.data[o]!;
          for (let c = 0; c < 2; c++)
            for (let i = 0; i < 2; i++)
              for (let j = 0; j < 2; j++)
                sum +=
                  w.data[((o * 2 + c) * 2 + i) * 2 + j]! *
                  x.data[((n * 4 + o * 2 + c) * 3 + row + i) * 3 + column + j]!;
          expected.push(sum);
        }
  expect(y).toEqual(array([2, 2, 2, 2], expected));
});

it('conv3d of one window is a dot product', () => {
  const y = outputOf(
    counted(1, 1, 2, 2, 2),
    { op: 'conv3d', parameters: { weight: 'w' } },
    { w: counted(1, 1, 2, 2, 2) },
  );
  expect(y).toEqual(array([1, 1, 1, 1, 1], [204]));
});

describe('pooling of 3 × 3', () => {
  const x = counted(1, 1, 3, 3);
  const pool = (operation: Operation): SpecArray => outputOf(x, operation);

  it('maximum', () => expect(pool({ op: 'maxPool2d', kernelSize: 2, stride: 1 }).data).toEqual([5, 6, 8, 9]));
  it('ceil mode', () => {
    expect(pool({ op: 'maxPool2d', kernelSize: 2, ceilMode: true })).toEqual(array([1, 1, 2, 2], [5, 6, 8, 9]));
  });
  it('ceil mode drops a window that starts in the padding after the input', () => {
    const y = pool({ op: 'maxPool2d', kernelSize: 2, stride: 2, padding: 1, ceilMode: true });
    expect(y).toEqual(array([1, 1, 2, 2], [1, 3, 7, 9]));
  });
  it('dilation', () => expect(pool({ op: 'maxPool2d', kernelSize: 2, stride: 1, dilation: 2 }).data).toEqual([9]));
  it('average counts padding by default', () => {
    expect(pool({ op: 'avgPool2d', kernelSize: 2, padding: 1 }).data).toEqual([0.25, 1.25, 2.75, 7]);
  });
  it('or not', () => {
    const y = pool({ op: 'avgPool2d', kernelSize: 2, padding: 1, countIncludePad: false });
    expect(y.data).toEqual([1, 2.5, 5.5, 7]);
  });
  it('in ceil mode what lies behind the padding never counts', () => {
    expect(pool({ op: 'avgPool2d', kernelSize: 2, ceilMode: true }).data).toEqual([3, 4.5, 7.5, 9]);
  });
  it('has its divisor overridden', () => {
    expect(pool({ op: 'avgPool2d', kernelSize: 2, divisorOverride: 8 }).data).toEqual([1.5]);
  });
});

describe('rearrangements', () => {
  it('zeroPad2d: left, right, top, bottom', () => {
    const y = outputOf(counted(1, 1, 1, 2), { op: 'zeroPad2d', padding: [1, 0, 0, 2] });
    expect(y).toEqual(array([1, 1, 3, 3], [0, 1, 2, 0, 0, 0, 0, 0, 0]));
  });
  it('permute', () => {
    expect(outputOf(counted(1, 2, 3), { op: 'permute', axes: [0, 2, 1] })).toEqual(
      array([1, 3, 2], [1, 4, 2, 5, 3, 6]),
    );
  });
  it('slice', () => {
    expect(outputOf(counted(1, 5), { op: 'slice', axis: 1, start: 1, stop: 5, step: 3 })).toEqual(
      array([1, 2], [2, 5]),
    );
  });
  it('concat', () => {
    const net = netOf(counted(1, 2, 1), { op: 'identity' }, {});
    const nodes: SpecNode[] = [{ id: 'y', inputs: ['x', 'x'], op: 'concat', axis: 2 }];
    expect(evaluate({ ...net, nodes }).output).toEqual(array([1, 2, 2], [1, 1, 2, 2]));
  });
});

it('batchNorm2d in evaluation mode', () => {
  const [c, weight, bias] = [[2], array([2], [2, 3]), array([2], [1, -1])];
  const statistics = { runningMean: array(c, [1, 2]), runningVar: array(c, [4, 9]), eps: 0 };
  const node = { op: 'batchNorm2d', parameters: { weight: 'w', bias: 'b' }, ...statistics } as const;
  expect(outputOf(array([1, 2, 1, 2], [3, 5, 5, 8]), node, { w: weight, b: bias }).data).toEqual([3, 5, 2, 5]);
  expect(outputOf(array([1, 2], [3, 5]), node, { w: weight, b: bias }).data).toEqual([3, 2]);
});

it('dropout divides what it keeps', () => {
  const mask = array([1, 3], [1, 0, 1]);
  expect(outputOf(counted(1, 3), { op: 'dropout', p: 0.5, mask }).data).toEqual([2, 0, 6]);
  expect(outputOf(counted(1, 3), { op: 'dropout', p: 0.5 }).data).toEqual([1, 2, 3]);
});

describe('kinks', () => {
  const through = (node: SpecNode, w: SpecArray): readonly number[] | undefined => {
    const net = netOf(array([1, 1], [1]), { op: 'linear', parameters: { weight: 'w' } }, { w });
    const image: SpecNode = { id: 'image', inputs: ['y'], op: 'reshape', shape: [1, 1, 2] };
    return truth({ ...net, nodes: [...net.nodes, image, node], output: 'z', loss: { ...net.loss, target } }).gradient.w
      ?.data;
  };
  const target = array([1], [-1, -1]);
  it("ReLU'(0) = 0", () =>
    expect(through({ id: 'z', inputs: ['image'], op: 'relu' }, array([2, 1], [0, 1]))).toEqual([0, 4]));
  it('the first of equal maxima gets the derivative', () => {
    const pool: SpecNode = { id: 'z', inputs: ['image'], op: 'maxPool2d', kernelSize: [1, 2] };
    expect(through(pool, array([2, 1], [1, 1]))).toEqual([4, 0]);
  });
});
