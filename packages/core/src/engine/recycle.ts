import { GradPackError } from '../errors/gradpack-error.js';
import type { HostArray } from '../tensor/host-array.js';
import type { NumberArray } from '../tensor/number-array.js';
import { recycleBuffer } from '../tensor/read.js';
import { isTensor } from '../tensor/tensor.js';
import type { Results } from './results.js';

/** What `take()` gives: an array, host arrays, their results, or a whole step's; also in arrays and objects. */
export type Taken =
  | NumberArray
  | HostArray
  | Results<unknown>
  | { readonly [part: string]: unknown }
  | readonly unknown[];

/**
 * Gives memory back that `take()` handed over, at once instead of when the garbage collector finds it: in a loop that takes large
 * results in each step, the next step has it. The arrays are empty (of length 0) from then on. What was copied, as by `data()` or on
 * backends that hand over no memory, stays as it is.
 *
 * @param taken an array, host arrays, results, or a whole step's
 * @throws GRADPACK-OPTION for a tensor: `take()` it first, or dispose it
 * @example
 * const step = net.backward(x, y, { individual: batchGrad() });
 * const taken = await step.take();
 * console.log(taken.individual.get('0.weight').data.length);
 * recycle(taken);
 */
export function recycle(taken: Taken): void {
  if (isTensor(taken))
    throw new GradPackError('GRADPACK-OPTION', 'only arrays can be recycled', {
      where: 'recycle',
      expected: 'what take() gave',
      got: 'a tensor',
      fix: 'recycle(await tensor.take()), or tensor.dispose() where its numbers are not needed',
    });
  if (ArrayBuffer.isView(taken)) {
    recycleBuffer(taken.buffer);
    return;
  }
  const isResults = Symbol.iterator in taken && !Array.isArray(taken);
  const parts = isResults ? [...(taken as Results<unknown>)].map(([, , value]) => value) : Object.values(taken);
  for (const part of parts) if (typeof part === 'object' && part !== null) recycle(part as Taken);
}
