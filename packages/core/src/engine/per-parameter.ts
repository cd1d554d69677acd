import type { Parameter } from '../module/parameter.js';
import type { NetInput } from './host-input.js';

/** Numbers for some parameters: results of a step or copies of them, a record by name, or a map by parameter or name. */
export type PerParameter =
  | EntriesByParameter
  | Readonly<Record<string, NetInput>>
  | ReadonlyMap<Parameter | string, NetInput>;

/** What `Results` iterate over. */
interface EntriesByParameter {
  [Symbol.iterator](): Iterator<readonly [name: string, parameter: Parameter, value: NetInput]>;
}

export function entriesOf(numbers: PerParameter): readonly (readonly [Parameter | string, NetInput])[] {
  if (numbers instanceof Map) return [...(numbers as ReadonlyMap<Parameter | string, NetInput>)];
  if (!(Symbol.iterator in numbers)) return Object.entries(numbers);
  return Array.from(numbers as EntriesByParameter, ([, parameter, value]) => [parameter, value] as const);
}
