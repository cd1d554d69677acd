import type { Backend } from '../backend/backend.js';
import { GradPackError } from '../errors/gradpack-error.js';
import type { TargetSpec } from '../loss/loss.js';
import { requireSameCore } from '../module/core-check.js';
import type { Dtype, Precision } from '../tensor/dtype.js';
import { type ArrayInput, type FlatArray, flatten } from '../tensor/host-array.js';
import { type Shape, sameShape, showShape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';

/** One input of a net: numbers on the host, or a tensor on the net's backend. */
export type NetInput = ArrayInput | Tensor;

/** An input after the first look: where it is and what it could be. */
export type Given =
  | { readonly shape: Shape; readonly dtype: 'host' | 'int32'; readonly host: FlatArray }
  | { readonly shape: Shape; readonly dtype: 'float' | 'int32'; readonly tensor: Tensor };

/** An array of tensors, typed arrays with shapes or such goes to `forward(...inputs)`; nested numbers are one input. */
export function givenInputs(input: NetInput | readonly NetInput[], backend: Backend, where: string): readonly Given[] {
  const isList =
    Array.isArray(input) && input.length > 0 && typeof input[0] === 'object' && 'shape' in (input[0] as object);
  const list = isList ? (input as readonly NetInput[]) : [input as NetInput];
  return list.map((x) => given(x, backend, where));
}

export function given(x: NetInput, backend: Backend, where: string): Given {
  if (!isTensor(x)) {
    const host = flatten(x, where);
    return { shape: host.shape, dtype: host.data instanceof Int32Array ? 'int32' : 'host', host };
  }
  requireSameCore(x, where);
  if (x['~place'].disposed)
    throw new GradPackError('GRADPACK-DISPOSED', 'a tensor was disposed', {
      where,
      expected: 'a tensor that is alive',
      got: `a disposed one of shape ${showShape(x.shape)}`,
      fix: 'dispose tensors after the calls that use them',
    });
  if (x.backend !== backend)
    throw new GradPackError('GRADPACK-MIXED-BACKENDS', 'a tensor lives on another backend', {
      where,
      expected: `a tensor of the net’s backend (${backend.name})`,
      got: `one of another (${x.backend.name})`,
      fix: 'make the tensor with tensor(net.backend, data), or pass host data',
    });
  return { shape: x.shape, dtype: x.dtype === 'int32' ? 'int32' : 'float', tensor: x };
}

/** Ids that were seen on the host are checked here; what is only on the device is checked there. */
export function checkIds(x: Given, bound: number, what: string, where: string): boolean {
  if ('tensor' in x) {
    const { bounds } = x.tensor['~place'];
    if (!bounds) return false;
    if (bounds.min < 0 || bounds.max >= bound)
      throw outOfRange(what, where, bound, `numbers from ${bounds.min} to ${bounds.max}`);
    return true;
  }
  const { data } = x.host;
  for (let i = 0; i < data.length; i++) {
    const id = data[i] as number;
    if (!Number.isInteger(id))
      throw new GradPackError('GRADPACK-DTYPE', `${what} are not whole numbers`, {
        where,
        expected: `whole numbers from 0 to ${bound - 1}`,
        got: `${id} at entry ${i}`,
        fix: 'pass class or token ids, not probabilities',
      });
    if (id < 0 || id >= bound) throw outOfRange(what, where, bound, `${id} at entry ${i}`);
  }
  return true;
}

function outOfRange(what: string, where: string, bound: number, got: string): GradPackError {
  return new GradPackError('GRADPACK-INDEX', `${what} are out of range`, {
    where,
    expected: `whole numbers from 0 to ${bound - 1}`,
    got,
    fix: 'check the data, or give the last layer more outputs or the embedding more rows',
  });
}

/** A tensor that is to be read as floats. Numbers on the host are converted. */
export function requireFloat(x: Given, what: string, where: string): void {
  if (!('tensor' in x) || x.dtype === 'float') return;
  throw new GradPackError('GRADPACK-DTYPE', `${what} is an int32 tensor`, {
    where,
    expected: 'a float tensor',
    got: 'an int32 tensor',
    fix: 'make it from a Float32Array, a Float64Array or nested arrays',
  });
}

export function requireShape(x: Given, shape: Shape, what: string, where: string): void {
  if (sameShape(x.shape, shape)) return;
  throw new GradPackError('GRADPACK-SHAPE', `${what} has the wrong shape`, {
    where,
    expected: showShape(shape),
    got: showShape(x.shape),
    fix: `pass ${what} of shape ${showShape(shape)}`,
  });
}

/** Throws GRADPACK-SHAPE where inputs have no batch, or not the same. */
export function requireOneBatch(inputs: readonly Given[], where: string): void {
  for (const { shape } of inputs)
    if (shape.length === 0 || shape[0] === 0)
      throw new GradPackError('GRADPACK-SHAPE', shape.length === 0 ? 'there is no batch' : 'the batch is empty', {
        where,
        expected: 'an input of shape [N, ...] with N ≥ 1',
        got: showShape(shape),
        fix: shape.length === 0 ? 'put the batch in front, with N = 1 for a single sample' : 'skip empty batches',
      });
  if (new Set(inputs.map(({ shape }) => shape[0])).size > 1)
    throw new GradPackError('GRADPACK-SHAPE', 'the inputs have different batch sizes', {
      where,
      expected: 'one N for all inputs',
      got: inputs.map(({ shape }) => showShape(shape)).join(' and '),
      fix: 'put the batch on axis 0 of every input',
    });
}

/** What a loss needs, checked as far as the host sees it. Throws GRADPACK-SHAPE, GRADPACK-DTYPE, GRADPACK-INDEX. */
export function requireTarget(
  labels: Given,
  { dtype, shape, bound }: TargetSpec,
  precision: Precision,
  where: string,
): { readonly shape: Shape; readonly dtype: Dtype; readonly checked: boolean } {
  requireShape(labels, shape, 'the target', where);
  if (dtype === 'int32' && 'tensor' in labels && labels.dtype !== 'int32')
    throw new GradPackError('GRADPACK-DTYPE', 'the target tensor holds floats', {
      where,
      expected: 'class indices as int32',
      got: 'a float tensor',
      fix: 'make it from an Int32Array',
    });
  if (dtype === 'float') requireFloat(labels, 'the target', where);
  const checked = bound === undefined || checkIds(labels, bound, 'class indices', where);
  return { shape, dtype: dtype === 'int32' ? dtype : precision, checked };
}
