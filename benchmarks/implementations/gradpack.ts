import { cpu } from '@gradpack/backend-cpu';
import { isNativeAvailable, native } from '@gradpack/backend-native';
import {
  type Backend,
  extend,
  type HostArray,
  type NumberArray,
  type ProductFunction,
  type Results,
  recycle,
  type Tensor,
  tensor,
} from '@gradpack/core';
import { crossEntropyLoss } from '@gradpack/losses';
import type { Data } from '../data.js';
import type { Implementation, Subject } from '../implementation.js';
import type { Problem } from '../problem.js';
import type { QuantityName } from '../quantities.js';
import { turnOf } from '../turns.js';
import { quantitiesNamed } from './gradpack-quantities.js';

const THREADS = 2;

export const gradpackCpu: Implementation = {
  name: 'gradpack/cpu',
  threads: 1,
  limit: 0.5,
  prepare: async (problem, quantity, data) => prepare(cpu(), problem, quantity, data),
};

const available = isNativeAvailable();
export const gradpackNative: Implementation = {
  name: 'gradpack/native',
  threads: THREADS,
  ...(available !== true && { missing: available }),
  prepare: async (problem, quantity, data) => prepare(await native({ threads: THREADS }), problem, quantity, data),
};

/** The problem on a backend, which the subject then owns. */
export async function prepare(backend: Backend, problem: Problem, name: QuantityName, data: Data): Promise<Subject> {
  const net = await extend(problem.model().loadStateDict(data.weights), crossEntropyLoss(), { backend });
  const images = tensor(backend, data.images);
  const labels = tensor(backend, data.labels);
  const quantities = quantitiesNamed(name, data.draws);
  const vectors = 'multiply' in quantities ? onBackend(backend, data.vectors) : {};
  let peak = 0;

  const run = async <R>(use: (found: readonly Found[]) => Promise<R> | R): Promise<R> => {
    using step = await net.backward(images, labels, quantities);
    const found: Found[] = [['gradient', step.gradient]];
    for (const key of Object.keys(quantities)) {
      const value = (step as unknown as Readonly<Record<string, Results<unknown> | ProductFunction>>)[key];
      if (value) found.push([key, typeof value === 'function' ? await value(vectors) : value]);
    }
    await step.done;
    const { live, pooled, working = 0 } = backend.memory();
    peak = Math.max(peak, live + pooled + working);
    return await use(found);
  };

  return {
    turn: (milliseconds) => turnOf(() => run(() => undefined), milliseconds),
    readingTurn: (milliseconds) => turnOf(async () => recycle([...(await run(taken)).values()]), milliseconds),
    results: () => run(copied),
    peakBytes: async () => peak,
    async dispose() {
      await net.dispose();
      await backend.dispose();
    },
  };
}

type Found = readonly [name: string, results: Results<unknown>];

function onBackend(backend: Backend, arrays: Readonly<Record<string, HostArray>>): Readonly<Record<string, Tensor>> {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, tensor(backend, array)]));
}

type Arrays = ReadonlyMap<string, NumberArray>;

const copied = (found: readonly Found[]): Promise<Arrays> => arraysOf(found, (results) => results.data());
/** To keep: the native backend hands its memory over. */
const taken = (found: readonly Found[]): Promise<Arrays> => arraysOf(found, (results) => results.take());

async function arraysOf(
  found: readonly Found[],
  read: (results: Results<unknown>) => Promise<Results<unknown>>,
): Promise<Arrays> {
  const all = new Map<string, NumberArray>();
  for (const [quantity, results] of found)
    for (const [parameter, , value] of await read(results))
      for (const [part, { data }] of partsOf(value)) all.set(`${quantity} ${parameter}${part}`, data);
  return all;
}

/** An array, or an object of arrays as Kronecker factors are. */
function partsOf(value: unknown): readonly (readonly [part: string, array: HostArray])[] {
  if (isHostArray(value)) return [['', value]];
  return Object.entries(value as Readonly<Record<string, HostArray | undefined>>).flatMap(([part, one]) =>
    one ? [[` ${part}`, one] as const] : [],
  );
}

function isHostArray(value: unknown): value is HostArray {
  return typeof value === 'object' && value !== null && 'data' in value && 'shape' in value;
}
