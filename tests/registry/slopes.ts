import { type Backend, extend, type HostArray, type Module, type Parameter } from '@gradpack/core';
import { crossEntropyLoss, mseLoss } from '@gradpack/losses';
import type { SpecArray } from '@gradpack/testkit';

/** A net at a point of which nothing but the forward pass is known. */
export interface Subject {
  readonly model: Module;
  readonly inputs: readonly HostArray[];
  readonly target: HostArray;
  readonly loss: 'mse' | 'crossEntropy';
}

export const lossOf = ({ loss }: Subject): ReturnType<typeof mseLoss> | ReturnType<typeof crossEntropyLoss> =>
  loss === 'mse' ? mseLoss() : crossEntropyLoss();

/** Derivatives of all outputs along a direction: [N · D] each. */
export interface Slopes {
  readonly first: Float64Array;
  readonly second: Float64Array;
}

export interface ParameterSlopes {
  readonly name: string;
  readonly shape: readonly number[];
  /** Along each entry. */
  readonly entries: readonly Slopes[];
  /** ∂²f/∂θ∂v for each entry and the direction v. */
  readonly mixed: readonly Float64Array[];
}

export interface NetSlopes {
  readonly N: number;
  /** Outputs of one sample. */
  readonly D: number;
  readonly outputs: Float64Array;
  readonly parameters: readonly ParameterSlopes[];
  /** Along the direction v. */
  readonly along: Slopes;
}

type Direction = ReadonlyMap<Parameter, ArrayLike<number>>;
const STEP = 1e-3;

/** By central differences of fourth order (1e-9 where the net is smooth), also along a direction v given by name. */
export async function slopesOf(
  subject: Subject,
  backend: Backend,
  vectors: Readonly<Record<string, SpecArray>>,
): Promise<NetSlopes> {
  const net = await extend(subject.model, lossOf(subject), { backend });
  const names = new Map<Parameter, string>();
  for (const [name, parameter] of net.parameters)
    if (parameter.trainable && !names.has(parameter)) names.set(parameter, name);
  const start = new Map<Parameter, HostArray>();
  for (const parameter of names.keys()) start.set(parameter, await parameter.data());

  let shape: readonly number[] = [];
  const outputsAt = async (direction: Direction, distance: number): Promise<Float64Array> => {
    for (const [parameter, v] of direction) {
      const { shape, data } = start.get(parameter)!;
      parameter.set({ shape, data: Float64Array.from(data, (x, i) => x + distance * v[i]!) });
    }
    const y = await net.forward(subject.inputs as never);
    shape = y.shape;
    const data = Float64Array.from(await y.data());
    y.dispose();
    for (const parameter of direction.keys()) parameter.set(start.get(parameter)!);
    return data;
  };
  const here = await outputsAt(new Map(), 0);
  const slopesAlong = async (direction: Direction): Promise<Slopes> => {
    const near = [await outputsAt(direction, STEP), await outputsAt(direction, -STEP)] as const;
    const far = [await outputsAt(direction, 2 * STEP), await outputsAt(direction, -2 * STEP)] as const;
    const odd = ([a, b]: typeof near, i: number): number => a[i]! - b[i]!;
    const even = ([a, b]: typeof near, i: number): number => a[i]! + b[i]! - 2 * here[i]!;
    return {
      first: here.map((_, i) => (8 * odd(near, i) - odd(far, i)) / (12 * STEP)),
      second: here.map((_, i) => (16 * even(near, i) - even(far, i)) / (12 * STEP ** 2)),
    };
  };

  const v = new Map([...names].map(([parameter, name]) => [parameter, vectors[name]!.data] as const));
  const along = await slopesAlong(v);
  const parameters: ParameterSlopes[] = [];
  for (const [parameter, name] of names) {
    const entries: Slopes[] = [];
    const mixed: Float64Array[] = [];
    for (const i of start.get(parameter)!.data.keys()) {
      const unit = Array.from(start.get(parameter)!.data, (_, j) => (i === j ? 1 : 0));
      const own = await slopesAlong(new Map([[parameter, unit]]));
      const both = await slopesAlong(
        new Map(v).set(
          parameter,
          unit.map((x, j) => x + v.get(parameter)![j]!),
        ),
      );
      entries.push(own);
      mixed.push(both.second.map((x, j) => (x - own.second[j]! - along.second[j]!) / 2));
    }
    parameters.push({ name, shape: parameter.shape, entries, mixed });
  }
  await net.dispose();
  const [N = 1] = shape;
  return { N, D: here.length / N, outputs: here, parameters, along };
}
