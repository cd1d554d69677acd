import { cpu } from '@gradpack/backend-cpu';
import { exactFactor, extend, type Quantities, type Quantity, quantity, type Tensor } from '@gradpack/core';
import { diagGGNExact, diagHessian } from '@gradpack/extensions-secondorder';
import { linear, sequential, sigmoid } from '@gradpack/layers';
import { crossEntropyLoss } from '@gradpack/losses';
import { countingBackend } from '@gradpack/testkit';
import { describe, expect, test } from 'vitest';
import { withColumnBytes } from '../support/backends.js';

const N = 2;
const CLASSES = 3;
const NARROW = 4;
const WIDE = 8;
/** Bytes of a column at values of the net. */
const columnOf = (features: number) => 4 * N * features;

/**
 * A step of a net that is wide at its beginning: how often columns are extracted at each weight, the last first, and how often they
 * are multiplied with one.
 */
async function callsOf(quantities: Quantities, columnBytes: number) {
  const counting = countingBackend(withColumnBytes(cpu(), columnBytes));
  const layers = [linear(2, WIDE), sigmoid(), linear(WIDE, NARROW), sigmoid(), linear(NARROW, CLASSES)] as const;
  const net = await extend(sequential(...layers), crossEntropyLoss(), { backend: counting });
  const images = { shape: [N, 2], data: new Float32Array(N * 2) };
  using step = await net.backward(images, new Int32Array(N), quantities);
  expect(step).toBeDefined();
  const [program] = counting.counts.prepared;
  const { calls } = program!;
  const sizes = calls.flatMap(({ kernel, spec }) => (kernel === 'outer' ? [spec.size] : []));
  const extracted = [NARROW * CLASSES, WIDE * NARROW, 2 * WIDE].map(
    (size) => sizes.filter((one) => one === size).length,
  );
  const forward = 3;
  return { extracted, multiplied: calls.filter(({ kernel }) => kernel === 'gemm').length - forward };
}

describe('columns go together as far as they fit', () => {
  const exact = { found: diagGGNExact() };
  const columns = 1 + (CLASSES - 1);

  test('all, in one pass', async () => {
    const { extracted, multiplied } = await callsOf(exact, columns * columnOf(WIDE));
    expect(extracted).toEqual([1, 1, 1]);
    expect(multiplied).toBe(2);
  });
  test('in parts from the first layer that takes less', async () => {
    expect((await callsOf(exact, columns * columnOf(WIDE) - 1)).extracted).toEqual([1, 2, 2]);
    expect((await callsOf(exact, columns * columnOf(NARROW))).extracted).toEqual([1, columns, columns]);
  });
  test('in parts that are cut again', async () => {
    expect((await callsOf(exact, columns * columnOf(NARROW) - 1)).extracted).toEqual([2, columns, columns]);
  });
  test('at least one', async () => {
    expect((await callsOf(exact, 1)).extracted).toEqual([columns, columns, columns]);
  });
  test('and all where a function of them needs all', async () => {
    type Individual = Quantity<'test/individual', Tensor, string, 'columns'>;
    const individual = quantity<Individual, []>('test/individual', () => ({
      by: 'individual',
      signal: exactFactor(),
      combine: 'concat',
      compute: (G) => G,
    }));
    expect((await callsOf({ found: individual() }, 1)).multiplied).toBe(2);
  });
});

describe('columns that are born inside', () => {
  const hessian = { found: diagHessian() };
  const columns = 1 + (CLASSES - 1) + NARROW + WIDE;

  test('grow into the pass where all fit', async () => {
    expect((await callsOf(hessian, columns * columnOf(WIDE))).multiplied).toBe(2);
  });
  test('else take passes of their own', async () => {
    expect((await callsOf(hessian, columns * columnOf(WIDE) - 1)).multiplied).toBe(3);
  });
});
