import type { NetSpec } from '../net-spec.js';
import { type Direction, parameterOf } from './direction.js';
import { type HyperDuals, seeded } from './hyper-dual.js';
import { liveNodes } from './live-nodes.js';
import { operation } from './operations/operation.js';

export interface Variables {
  parameter(name: string): HyperDuals;
  /** A bias (if any) and the weight's virtual bias (if a direction has one). */
  shifts(weight: string, channels: number, bias?: string): readonly HyperDuals[];
}

/** Of all inputs and live nodes, by name; their derivatives are along d₁ (e1), d₂ (e2) and both (e12). */
export type Values = ReadonlyMap<string, HyperDuals>;

export function forward(net: NetSpec, d1: Direction = {}, d2: Direction = {}): Values {
  const variables = variablesOf(net, d1, d2);
  const values = new Map<string, HyperDuals>();
  for (const [name, input] of Object.entries(net.inputs)) values.set(name, seeded(input));
  for (const node of liveNodes(net)) {
    const inputs = node.inputs.map((name) => valueNamed(values, name));
    values.set(node.id, operation(node, inputs, variables));
  }
  return values;
}

export function outputOf(net: NetSpec, values: Values): HyperDuals {
  return valueNamed(values, net.output);
}

export function valueNamed(values: Values, name: string): HyperDuals {
  const value = values.get(name);
  if (!value) throw new RangeError(`no node or input ${name} before its use`);
  return value;
}

function variablesOf(net: NetSpec, d1: Direction, d2: Direction): Variables {
  const parameters = new Map<string, HyperDuals>();
  const parameter = (name: string): HyperDuals => {
    const known = parameters.get(name) ?? seeded(parameterOf(net, name), d1.parameters?.[name], d2.parameters?.[name]);
    parameters.set(name, known);
    return known;
  };
  return {
    parameter,
    shifts: (weight, channels, bias) => {
      const [s1, s2] = [d1.shifts?.[weight], d2.shifts?.[weight]];
      const virtual = s1 || s2 ? [seeded({ shape: [channels] }, s1, s2)] : [];
      return bias === undefined ? virtual : [parameter(bias), ...virtual];
    },
  };
}
