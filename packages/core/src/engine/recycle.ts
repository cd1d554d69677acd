import { GradPackError } from '../errors/gradpack-error.js';
import { isParameter } from '../module/parameter.js';
import type { HostArray } from '../tensor/host-array.js';
import type { NumberArray } from '../tensor/number-array.js';
import { recycleBuffer } from '../tensor/read.js';
import { isTensor } from '../tensor/tensor.js';
import type { Results } from './results.js';

/** What `take()` gives: an array, host arrays, their results, or a whole step's; also in arrays, maps, sets and objects. */
export type Taken =
  | NumberArray
  | HostArray
  | Results<unknown>
  | { readonly [part: string]: unknown }
  | Iterable<unknown>;

/**
 * Gives memory back that `take()` handed over, at once instead of when the garbage collector finds it: in a loop that takes large
 * results in each step, the next step has it. The arrays are empty (of length 0) from then on. What was copied, as by `data()` or on
 * backends that hand over no memory, stays as it is.
 *
 * Only when nothing reads the arrays any more: work that goes on elsewhere, such as a file being written from one of them, would read
 * what comes next. Await it first.
 *
 * @param taken an array, host arrays, results, or a whole step's
 * @throws GRADPACK-OPTION for a tensor or a promise: `await tensor.take()` is what can be recycled
 * @example
 * const step = await net.backward(x, y, { individual: batchGrad() });
 * const taken = await step.take();
 * console.log(taken.individual.get('0.weight').data.length);
 * recycle(taken);
 */
export function recycle(taken: Taken): void {
  recycleParts(taken, new Set());
}

function recycleParts(x: unknown, seen: Set<object>): void {
  if (typeof x !== 'object' || x === null || seen.has(x) || isParameter(x)) return;
  seen.add(x);
  if (isTensor(x)) throw notTaken('a tensor', 'recycle(await tensor.take()), or tensor.dispose()');
  if (x instanceof Promise) throw notTaken('a promise', 'await it first: recycle(await step.take())');
  if (ArrayBuffer.isView(x)) recycleBuffer(x.buffer);
  else for (const part of isIterable(x) ? x : Object.values(x)) recycleParts(part, seen);
}

const isIterable = (x: object): x is Iterable<unknown> => Symbol.iterator in x;

function notTaken(got: string, fix: string): GradPackError {
  return new GradPackError('GRADPACK-OPTION', 'only arrays can be recycled', {
    where: 'recycle',
    expected: 'what take() gave',
    got,
    fix,
  });
}
