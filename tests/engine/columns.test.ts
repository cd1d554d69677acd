import { cpu } from '@gradpack/backend-cpu';
import { exactFactor, extend, type Quantities, type Quantity, quantity, type Tensor } from '@gradpack/core';
import { diagGGNExact, diagHessian } from '@gradpack/extensions-secondorder';
import { linear, sequential, sigmoid } from '@gradpack/layers';
import { crossEntropyLoss } from '@gradpack/losses';
import { countingBackend } from '@gradpack/testkit';
import { describe, expect, test } from 'vitest';
import { withColumnBytes } from '../support/backends.js';

const N = 2;
const WIDE = 8;
const CLASSES = 3;
/** Bytes of a column at values of the net. */
const columnOf = (features: number) => 4 * N * features;

/** How often each weight's columns are extracted in a step of a net that is wide at its beginning. The gradient is one more column. */
async function extractions(quantities: Quantities, columnBytes: number) {
  const counting = countingBackend(withColumnBytes(cpu(), columnBytes));
  const model = sequential(linear(2, WIDE), sigmoid(), linear(WIDE, CLASSES));
  const net = await extend(model, crossEntropyLoss(), { backend: counting });
  const images = { shape: [N, 2], data: new Float32Array(N * 2) };
  using step = await net.backward(images, new Int32Array(N), quantities);
  expect(step).toBeDefined();
  const [program] = counting.counts.prepared;
  const sizes = program!.calls.flatMap(({ kernel, spec }) => (kernel === 'outer' ? [spec.size] : []));
  const of = (size: number) => sizes.filter((other) => other === size).length;
  return { last: of(WIDE * CLASSES), first: of(2 * WIDE) };
}

describe('columns go together as far as they fit', () => {
  const exact = { found: diagGGNExact() };
  const columns = 1 + CLASSES;

  test('all, in one pass', async () => {
    expect(await extractions(exact, columns * columnOf(WIDE))).toEqual({ last: 1, first: 1 });
  });
  test('in parts from the first value that takes less', async () => {
    expect(await extractions(exact, columns * columnOf(WIDE) - 1)).toEqual({ last: 1, first: 2 });
    expect(await extractions(exact, columns * columnOf(CLASSES))).toEqual({ last: 1, first: columns });
  });
  test('one after the other where the first value takes less', async () => {
    expect(await extractions(exact, columns * columnOf(CLASSES) - 1)).toEqual({ last: columns, first: columns });
  });
  test('and all where a function of them needs all', async () => {
    type Individual = Quantity<'test/individual', Tensor, string, 'columns'>;
    const individual = quantity<Individual, []>('test/individual', () => ({
      by: 'individual',
      signal: exactFactor(),
      combine: 'concat',
      compute: (G) => G,
    }));
    expect(await extractions({ found: individual() }, 1)).toEqual({ last: 2, first: 2 });
  });
});

describe('columns that are born inside', () => {
  const hessian = { found: diagHessian() };
  const columns = 1 + CLASSES + WIDE;

  test('grow into the pass where all fit', async () => {
    expect(await extractions(hessian, columns * columnOf(WIDE))).toEqual({ last: 1, first: 1 });
  });
  test('else take passes of their own', async () => {
    expect(await extractions(hessian, columns * columnOf(WIDE) - 1)).toEqual({ last: 1, first: 2 });
  });
});
