import { GradPackError } from '../errors/gradpack-error.js';
import type { Parameter } from '../module/parameter.js';
import type { HostArray } from '../tensor/host-array.js';
import { isTensor, type Tensor, takeToHost, toHost } from '../tensor/tensor.js';
import { leavesOf, mapLeaves } from './tree.js';

/** A value per parameter, in the order of the parameters' first use. */
export interface Results<Value> {
  /** @throws GRADPACK-NO-RESULT for a parameter that is frozen, unused or not of this net */
  get(parameter: Parameter | string): Value;
  has(parameter: Parameter | string): boolean;
  [Symbol.iterator](): Iterator<readonly [name: string, parameter: Parameter, value: Value]>;
  /** Copies of all values on the host, by one transfer. */
  data(): Promise<Results<Host<Value>>>;
  /**
   * All values on the host, and their tensors are disposed: without a copy where the backend can; see `Tensor.take`. Throws
   * GRADPACK-DISPOSED where one of them was disposed or taken before: the rest then lives on.
   */
  take(): Promise<Results<Host<Value>>>;
}

/** A value with host arrays in place of tensors. */
export type Host<Value> = Value extends Tensor
  ? HostArray
  : Value extends object
    ? { readonly [Key in keyof Value]: Host<Value[Key]> }
    : Value;

export interface ResultsContext {
  readonly what: string;
  readonly names: ReadonlyMap<Parameter, string>;
  readonly byName: ReadonlyMap<string, Parameter>;
  /** Parameters that were frozen when the step ran. */
  readonly frozen: ReadonlySet<Parameter>;
}

export function resultsOf<Value>(values: ReadonlyMap<Parameter, Value>, context: ResultsContext): Results<Value> {
  const { what, names, byName, frozen } = context;
  const find = (parameter: Parameter | string): Parameter | undefined =>
    typeof parameter === 'string' ? byName.get(parameter) : parameter;
  const read = async (toHost: (x: Tensor) => Promise<HostArray>): Promise<Results<Host<Value>>> =>
    resultsOf((await readTree(values, toHost)) as ReadonlyMap<Parameter, Host<Value>>, context);
  return {
    get(parameter) {
      const found = find(parameter);
      if (found && values.has(found)) return values.get(found) as Value;
      const name = typeof parameter === 'string' ? parameter : (names.get(parameter) ?? 'a parameter of another net');
      const why =
        !found || !names.has(found)
          ? 'it is not a parameter of this net'
          : !frozen.has(found)
            ? 'the output does not depend on it, or it was left out'
            : 'it is frozen';
      throw new GradPackError('GRADPACK-NO-RESULT', `${what} has no result for ${name}: ${why}`, {
        where: `${what}.get`,
        expected: [...values.keys()].map((p) => names.get(p)).join(', ') || 'no parameter at all',
        got: name,
        fix:
          found && frozen.has(found)
            ? 'set parameter.trainable = true before the step'
            : 'ask has() first, or use one of the names above',
      });
    },
    has(parameter) {
      const found = find(parameter);
      return found !== undefined && values.has(found);
    },
    *[Symbol.iterator]() {
      for (const [parameter, value] of values) yield [names.get(parameter) as string, parameter, value] as const;
    },
    data: () => read(toHost),
    take: () => read(takeToHost),
  };
}

/** The same map of values with host arrays for every tensor; one transfer. */
async function readTree<Key>(
  values: ReadonlyMap<Key, unknown>,
  toHost: (x: Tensor) => Promise<HostArray>,
): Promise<ReadonlyMap<Key, unknown>> {
  const arrays = await readAll(
    [...values.values()].flatMap((value) => leavesOf(value, isTensor)),
    toHost,
  );
  return new Map([...values].map(([key, value]) => [key, mapLeaves(value, isTensor, (x) => arrays.get(x))] as const));
}

/** Host arrays of tensors by one transfer; of none where one of them is gone. */
export async function readAll(
  tensors: Iterable<Tensor>,
  toHost: (x: Tensor) => Promise<HostArray>,
): Promise<ReadonlyMap<Tensor, HostArray>> {
  const all = [...new Set(tensors)];
  const gone = all.find((x) => x['~place'].disposed);
  if (gone) await toHost(gone); // says what is wrong
  return new Map(await Promise.all(all.map(async (x) => [x, await toHost(x)] as const)));
}
