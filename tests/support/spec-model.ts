import {
  type ArrayInput,
  add,
  concat,
  type Layer,
  Module,
  mul,
  type NetInput,
  type Parameter,
  permute,
  reshape,
  slice,
  type Value,
} from '@gradpack/core';
import {
  avgPool2d,
  batchNorm2d,
  conv1d,
  conv2d,
  conv3d,
  dropout,
  embedding,
  flatten,
  identity,
  linear,
  maxPool2d,
  relu,
  sigmoid,
  tanh,
  zeroPad2d,
} from '@gradpack/layers';
import { crossEntropyLoss, mseLoss, scaleLoss } from '@gradpack/losses';
import type { NetSpec, SpecArray, SpecNode } from '@gradpack/testkit';

type Options = Record<string, unknown>;

const CONVOLUTIONS = { conv1d, conv2d, conv3d };

/** A GradPack model made from plain data: layers in public fields, and a forward() of its own. */
export class SpecModel extends Module {
  /** By node; equal nodes share one layer, others with a parameter in common share the parameter: both are ties. */
  readonly layers: Record<string, Module> = {};
  readonly #spec: NetSpec;
  readonly #of = new Map<SpecNode, Layer>();
  /** Names of `NetSpec.parameters` to the parameters here. */
  readonly tensors: ReadonlyMap<string, Parameter>;

  constructor(spec: NetSpec) {
    super();
    this.#spec = spec;
    const tensors = new Map<string, Parameter>();
    const made = new Map<string, Layer>();
    for (const node of spec.nodes) {
      if (!('parameters' in node)) {
        const layer = plainLayer(node);
        if (layer) this.#of.set(node, layer);
        continue;
      }
      const key = JSON.stringify({ ...node, id: '', inputs: [] });
      const layer = made.get(key) ?? parameterLayer(node, spec, tensors);
      made.set(key, layer);
      for (const [role, name] of Object.entries(node.parameters))
        if (name) tensors.set(name, (layer as unknown as Record<string, Parameter>)[role] as Parameter);
      this.#of.set(node, layer);
      this.layers[node.id] = layer;
    }
    this.tensors = tensors;
    for (const [name, { data, shape, trainable }] of Object.entries(spec.parameters)) {
      const parameter = tensors.get(name);
      if (!parameter) continue;
      parameter.set({ data, shape });
      parameter.trainable = trainable;
    }
    // records are not walked for names: give each layer a field
    Object.assign(
      this,
      Object.fromEntries(Object.entries(this.layers).map(([id, layer]) => [`node_${id.replaceAll('.', '_')}`, layer])),
    );
  }

  forward(...inputs: Value[]): Value {
    const values = new Map<string, Value>(Object.keys(this.#spec.inputs).map((name, i) => [name, inputs[i] as Value]));
    for (const node of this.#spec.nodes)
      values.set(
        node.id,
        this.#call(
          node,
          node.inputs.map((name) => values.get(name) as Value),
        ),
      );
    return values.get(this.#spec.output) as Value;
  }

  #call(node: SpecNode, inputs: readonly Value[]): Value {
    const [x, ...rest] = inputs as [Value, ...Value[]];
    switch (node.op) {
      case 'add':
        return rest.reduce((sum, y) => add(sum, y), x);
      case 'mul':
        return rest.reduce((product, y) => mul(product, y), x);
      case 'scale':
        return mul(x, node.factor);
      case 'concat':
        return concat(inputs, node.axis);
      case 'reshape':
        return reshape(x, [x.shape[0] as number, ...node.shape]);
      case 'permute':
        return permute(x, node.axes);
      case 'slice':
        return slice(x, node.axis, node.start, node.stop, node.step ?? 1);
      default:
        return (this.#of.get(node) as Layer).forward(...inputs);
    }
  }
}

function plainLayer(node: SpecNode): Layer | undefined {
  const options = node as unknown as Options;
  switch (node.op) {
    case 'maxPool2d':
      return maxPool2d(node.kernelSize as never, node.stride as never, options as never);
    case 'avgPool2d':
      return avgPool2d(node.kernelSize as never, node.stride as never, options as never);
    case 'zeroPad2d':
      return zeroPad2d(node.padding as never);
    case 'relu':
      return relu();
    case 'sigmoid':
      return sigmoid();
    case 'tanh':
      return tanh();
    case 'identity':
      return identity();
    case 'flatten':
      return flatten();
    case 'dropout':
      return node.mask ? maskedDropout(node.p, node.mask) : dropout(node.p).eval();
    default:
      return undefined;
  }
}

function parameterLayer(
  node: Extract<SpecNode, { readonly parameters: unknown }>,
  spec: NetSpec,
  tensors: ReadonlyMap<string, Parameter>,
): Layer {
  const shape = (spec.parameters[node.parameters.weight] as SpecArray).shape;
  const weight = tensors.get(node.parameters.weight);
  const biasName = 'bias' in node.parameters ? node.parameters.bias : undefined;
  const bias = biasName === undefined ? false : (tensors.get(biasName) ?? true);
  const shared = { bias, ...(weight && { weight }) };
  switch (node.op) {
    case 'linear':
      return linear(shape[1] as number, shape[0] as number, shared);
    case 'conv1d':
    case 'conv2d':
    case 'conv3d': {
      const channels = (shape[1] as number) * (node.groups ?? 1);
      const options = { ...node, ...shared } as never;
      return CONVOLUTIONS[node.op](channels, shape[0] as number, shape.slice(2) as never, options);
    }
    case 'embedding':
      return embedding(shape[0] as number, shape[1] as number, {
        ...(node.paddingIdx !== undefined && { paddingIdx: node.paddingIdx }),
        ...(weight && { weight }),
      });
    case 'batchNorm2d': {
      const norm = batchNorm2d(shape[0] as number, { eps: node.eps }).eval();
      norm.runningMean.set(node.runningMean);
      norm.runningVar.set(node.runningVar);
      return norm;
    }
  }
}

/** Dropout with a mask that is given, for comparison with recorded ones. */
function maskedDropout(p: number, mask: SpecArray): Layer {
  const plain = dropout(p);
  return Object.assign(Object.create(Object.getPrototypeOf(plain)), plain, {
    key: `masked(${mask.data})`,
    linearize: ((inputs, k) => {
      const [x] = inputs;
      const kept = k.constant(
        Float64Array.from(mask.data, (m) => m / (1 - p)),
        mask.shape,
      );
      const times = (y: typeof kept): typeof kept =>
        k.map({ op: 'mul', a: { op: 'input', index: 0 }, b: { op: 'input', index: 1 } }, [y, kept]);
      return {
        outputs: [times(x as typeof kept)],
        uses: [],
        pull: ([columns]) => ({ inputs: [columns && times(columns)], terms: [] }),
        push: ([tangents]) => [tangents && times(tangents)],
      };
    }) satisfies Layer['linearize'],
  }) as Layer;
}

export function lossOf({ loss }: NetSpec): ReturnType<typeof crossEntropyLoss> | ReturnType<typeof mseLoss> {
  const plain =
    loss.kind === 'crossEntropy'
      ? crossEntropyLoss({ reduction: loss.reduction })
      : mseLoss({ reduction: loss.reduction });
  return loss.scale === undefined ? plain : scaleLoss(plain, loss.scale);
}

export function inputsOf(spec: NetSpec): readonly NetInput[] {
  return Object.values(spec.inputs).map(
    ({ shape, data, dtype }): ArrayInput => ({
      shape,
      data: dtype === 'int32' ? Int32Array.from(data) : Float64Array.from(data),
    }),
  );
}

export function targetOf({ loss: { kind, target } }: NetSpec): NetInput {
  return {
    shape: target.shape,
    data: kind === 'crossEntropy' ? Int32Array.from(target.data) : Float64Array.from(target.data),
  };
}
