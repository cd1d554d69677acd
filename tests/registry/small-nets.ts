import { type HostArray, type Layer, Module, reshape, type Value } from '@gradpack/core';
import {
  avgPool1d,
  avgPool3d,
  batchNorm1d,
  batchNorm3d,
  elu,
  leakyRelu,
  linear,
  logSigmoid,
  maxPool1d,
  maxPool3d,
  selu,
  silu,
  softplus,
} from '@gradpack/layers';
import type { NetSpec, SpecArray, SpecNode } from '@gradpack/testkit';
import type { Subject } from './slopes.js';

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const numbers = (shape: readonly number[], phase = 0): SpecArray => ({
  shape,
  data: Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(2.3 * i + phase + shape.length)),
});

/** An operation of the truth, with the shapes of its parameters. */
interface Step {
  readonly op: SpecNode['op'];
  readonly parameters?: Readonly<Record<string, readonly number[]>>;
  readonly [option: string]: unknown;
}

/** Operations one after the other under a squared error, as data. `words`: the input is token ids. */
function chain(input: readonly number[], steps: readonly Step[], output: readonly number[], words?: number): NetSpec {
  const parameters: Record<string, NetSpec['parameters'][string]> = {};
  const nodes = steps.map(({ parameters: shapes = {}, ...step }, i) => {
    const named = Object.entries(shapes).map(([role, shape]) => {
      const name = `${i}.${role}`;
      parameters[name] = { ...numbers(shape, i + role.length), trainable: true };
      return [role, name] as const;
    });
    const node = { ...step, id: `${i}`, inputs: [i === 0 ? 'x' : `${i - 1}`] };
    return (named.length > 0 ? { ...node, parameters: Object.fromEntries(named) } : node) as SpecNode;
  });
  const x = numbers(input);
  return {
    inputs: {
      x: words ? { ...x, data: x.data.map((_, i) => (3 * i + 1) % words), dtype: 'int32' } : { ...x, dtype: 'float' },
    },
    parameters,
    nodes,
    output: `${steps.length - 1}`,
    loss: { kind: 'mse', reduction: 'mean', target: numbers(output, 1) },
  };
}

const N = 3;
const dense = (inputs: number, outputs: number): Step => ({
  op: 'linear',
  parameters: { weight: [outputs, inputs], bias: [outputs] },
});
const image: Step = { op: 'conv2d', parameters: { weight: [2, 1, 2, 2], bias: [2] } };
const between = (step: Step): NetSpec => chain([N, 3], [dense(3, 4), step, dense(4, 2)], [N, 2]);

/** A small net around each layer that the independent truth knows. */
export const specs: Readonly<Record<string, NetSpec>> = {
  linear: chain([N, 3], [dense(3, 4), { op: 'tanh' }, { op: 'linear', parameters: { weight: [2, 4] } }], [N, 2]),
  conv1d: chain(
    [N, 2, 6],
    [{ op: 'conv1d', parameters: { weight: [3, 2, 3], bias: [3] }, stride: 2 }, { op: 'sigmoid' }],
    [N, 3, 2],
  ),
  conv2d: chain(
    [N, 2, 4, 3],
    [
      { op: 'conv2d', parameters: { weight: [4, 1, 2, 2], bias: [4] }, groups: 2, padding: 1 },
      { op: 'tanh' },
      { op: 'conv2d', parameters: { weight: [1, 4, 3, 2] } },
    ],
    [N, 1, 3, 3],
  ),
  conv3d: chain(
    [N, 1, 2, 3, 2],
    [{ op: 'conv3d', parameters: { weight: [2, 1, 2, 2, 1], bias: [2] } }, { op: 'tanh' }],
    [N, 2, 1, 2, 2],
  ),
  embedding: chain(
    [N, 4],
    [{ op: 'embedding', parameters: { weight: [5, 3] } }, { op: 'tanh' }, dense(3, 2)],
    [N, 4, 2],
    5,
  ),
  batchNorm2d: chain(
    [N, 1, 3, 3],
    [
      image,
      {
        op: 'batchNorm2d',
        parameters: { weight: [2], bias: [2] },
        runningMean: numbers([2]),
        runningVar: { shape: [2], data: [0.5, 2] },
        eps: 1e-5,
      },
      { op: 'tanh' },
    ],
    [N, 2, 2, 2],
  ),
  relu: between({ op: 'relu' }),
  sigmoid: between({ op: 'sigmoid' }),
  tanh: between({ op: 'tanh' }),
  identity: between({ op: 'identity' }),
  dropout: between({ op: 'dropout', p: 0.5 }),
  flatten: chain([N, 1, 3, 3], [image, { op: 'flatten' }, dense(8, 2)], [N, 2]),
  maxPool2d: chain([N, 1, 4, 4], [image, { op: 'maxPool2d', kernelSize: 2, stride: 1 }], [N, 2, 2, 2]),
  avgPool2d: chain([N, 1, 4, 4], [image, { op: 'avgPool2d', kernelSize: 2, padding: 1 }], [N, 2, 2, 2]),
  zeroPad2d: chain(
    [N, 1, 3, 3],
    [
      image,
      { op: 'zeroPad2d', padding: [1, 0, 0, 2] },
      { op: 'conv2d', parameters: { weight: [1, 2, 2, 2], bias: [1] } },
    ],
    [N, 1, 3, 2],
  ),
};

/** `layer(reshape(linear(x)))` */
class After extends Module {
  readonly first;
  readonly #shape: readonly number[];
  constructor(
    shape: readonly number[],
    readonly layer: Layer,
  ) {
    super();
    this.first = linear(3, sizeOf(shape));
    this.#shape = shape;
  }
  override forward(x: Value): Value {
    return this.layer.forward(reshape(this.first.forward(x), [N, ...this.#shape]));
  }
}

const host = (shape: readonly number[], phase = 0): HostArray => ({
  shape,
  data: Float64Array.from(numbers(shape, phase).data),
});
const after =
  (layer: Layer, shape: readonly number[] = [4]) =>
  (): Subject => ({
    model: new After(shape, layer),
    inputs: [host([N, 3])],
    target: host(layer.outputShapes([N, ...shape])[0] as readonly number[], 1),
    loss: 'mse',
  });

/** A small net around each of the other layers. */
export const subjects: Readonly<Record<string, () => Subject>> = {
  leakyRelu: after(leakyRelu(0.2)),
  elu: after(elu()),
  selu: after(selu()),
  silu: after(silu()),
  softplus: after(softplus()),
  logSigmoid: after(logSigmoid()),
  batchNorm1d: after(batchNorm1d(4)),
  batchNorm3d: after(batchNorm3d(2), [2, 2, 1, 3]),
  maxPool1d: after(maxPool1d(2, 1), [2, 4]),
  maxPool3d: after(maxPool3d(2, 1), [1, 2, 3, 2]),
  avgPool1d: after(avgPool1d(2), [2, 4]),
  avgPool3d: after(avgPool3d(2, 1), [1, 2, 3, 2]),
};
