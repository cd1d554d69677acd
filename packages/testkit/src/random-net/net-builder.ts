import type { NetSpec, SpecNode } from '../net-spec.js';
import { parameterOf } from '../truth/direction.js';
import type { Variables } from '../truth/forward.js';
import { type HyperDuals, seeded } from '../truth/hyper-dual.js';
import { operation } from '../truth/operations/operation.js';
import { elements } from '../truth/positions.js';
import type { Draw } from './draw.js';

type WithoutEdges<N> = N extends SpecNode ? Omit<N, 'id' | 'inputs'> : never;
/** A node without its name and edges. */
export type Operation = WithoutEdges<SpecNode>;

/** Puts a net together node by node. Values are computed at once, so shapes need no rules of their own. */
export interface NetBuilder {
  readonly draw: Draw;
  floats(shape: readonly number[]): string;
  tokens(shape: readonly number[], words: number): string;
  /** Returns the new parameter's name. */
  parameter(role: 'weight' | 'bias', shape: readonly number[]): string;
  /** Returns the new node's name. */
  node(operation: Operation, ...inputs: string[]): string;
  shape(value: string): readonly number[];
  net(output: string, loss: NetSpec['loss']): NetSpec;
}

export function netBuilder(draw: Draw): NetBuilder {
  const inputs: Record<string, NetSpec['inputs'][string]> = {};
  const parameters: Record<string, NetSpec['parameters'][string]> = {};
  const nodes: SpecNode[] = [];
  const values = new Map<string, HyperDuals>();

  const value = (name: string): HyperDuals => {
    const known = values.get(name);
    if (!known) throw new RangeError(`no value ${name}`);
    return known;
  };
  const input = (shape: readonly number[], dtype: 'float' | 'int32', entry: () => number): string => {
    const name = `x${Object.keys(inputs).length}`;
    const array = { shape, data: draw.list(elements(shape), entry), dtype };
    inputs[name] = array;
    values.set(name, seeded(array));
    return name;
  };
  const parameterValue = (name: string): HyperDuals => seeded(parameterOf({ parameters }, name));
  const variables: Variables = {
    parameter: parameterValue,
    shifts: (_weight, _channels, bias) => (bias === undefined ? [] : [parameterValue(bias)]),
  };

  return {
    draw,
    floats: (shape) => input(shape, 'float', () => draw.real(-1.5, 1.5)),
    tokens: (shape, words) => input(shape, 'int32', () => draw.whole(0, words - 1)),
    parameter: (role, shape) => {
      const name = `${nodes.length}.${role}`;
      const bound = role === 'bias' ? 0.5 : 1.5 / Math.sqrt(elements(shape.slice(1)));
      const data = draw.list(elements(shape), () => draw.real(-bound, bound));
      parameters[name] = { shape, data, trainable: true };
      return name;
    },
    node: (fields, ...names) => {
      const node = { ...fields, id: `${nodes.length}`, inputs: names } as SpecNode;
      values.set(node.id, operation(node, names.map(value), variables));
      nodes.push(node);
      return node.id;
    },
    shape: (name) => value(name).shape,
    net: (output, loss) => ({ inputs, parameters: { ...parameters }, nodes, output, loss }),
  };
}
