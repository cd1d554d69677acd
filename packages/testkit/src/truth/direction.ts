import type { NetSpec } from '../net-spec.js';
import { elements } from './positions.js';

/** What a derivative is taken along; what is missing is zero. */
export interface Direction {
  /** By parameter, of its length. */
  readonly parameters?: Readonly<Record<string, ArrayLike<number>>>;
  /**
   * By weight of linear, convolution or embedding nodes: a virtual bias, zero itself, that is added to the output of
   * every use of that weight, per channel.
   */
  readonly shifts?: Readonly<Record<string, ArrayLike<number>>>;
}

/** One direction for each entry of a parameter. */
export function entriesOf(net: NetSpec, parameter: string): Direction[] {
  return units(elements(parameterOf(net, parameter).shape)).map((unit) => ({ parameters: { [parameter]: unit } }));
}

/** One direction for each of the channels that a weight's virtual bias has. */
export function channelsOf(weight: string, channels: number): Direction[] {
  return units(channels).map((unit) => ({ shifts: { [weight]: unit } }));
}

export function parameterOf(net: Pick<NetSpec, 'parameters'>, name: string): NetSpec['parameters'][string] {
  const parameter = net.parameters[name];
  if (!parameter) throw new RangeError(`the net has no parameter ${name}`);
  return parameter;
}

function units(length: number): Float64Array[] {
  return Array.from({ length }, (_, entry) => Float64Array.from({ length }, (_, i) => (i === entry ? 1 : 0)));
}

/** The vectors are checked: a misspelt name would silently be a zero. */
export function alongVectors(
  net: NetSpec,
  vectors: Readonly<Record<string, { readonly data: readonly number[] }>>,
): Direction {
  const parameters = Object.entries(vectors).map(([name, { data }]) => {
    const length = elements(parameterOf(net, name).shape);
    if (data.length !== length) throw new RangeError(`${name}: ${length} entries expected, got ${data.length}`);
    return [name, data] as const;
  });
  return { parameters: Object.fromEntries(parameters) };
}
