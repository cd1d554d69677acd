import { cpu } from '@gradpack/backend-cpu';
import { extend, type KernelCall } from '@gradpack/core';
import { linear, sequential } from '@gradpack/layers';
import { crossEntropyLoss } from '@gradpack/losses';
import { countingBackend } from '@gradpack/testkit';
import { describe, expect, test } from 'vitest';
import type { Problem } from '../../benchmarks/problem.js';
import { threeC3D } from '../../benchmarks/problems/3c3d.js';
import { mlp } from '../../benchmarks/problems/mlp.js';

const logreg = { input: [784], batch: 128, model: () => sequential(linear(784, 10)) };

/** The kernel calls of one step, which is not run. */
async function callsOf({
  model,
  input,
  batch,
}: Pick<Problem, 'model' | 'input' | 'batch'>): Promise<readonly KernelCall[]> {
  const counting = countingBackend(cpu());
  const net = await extend(model(), crossEntropyLoss(), { backend: { ...counting, run: () => undefined } });
  const shape = [batch, ...input];
  const images = { shape, data: new Float32Array(shape.reduce((size, extent) => size * extent)) };
  using step = await net.backward(images, new Int32Array(batch));
  expect(step).toBeDefined();
  const [program] = counting.counts.prepared;
  return program!.calls;
}

function count(calls: readonly KernelCall[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { kernel } of calls) counts[kernel] = (counts[kernel] ?? 0) + 1;
  return counts;
}

/** Cross-entropy: maximum, ties and sum of each row, the loss, the gradient. */
const LOSS = { reduce: 4, map: 1 };

describe('a step makes few calls', () => {
  test('logistic regression: one product, the loss, two gradients', async () => {
    expect(count(await callsOf(logreg))).toEqual({ gemm: 1, ...LOSS, outer: 2 });
  });
  test('mlp: one map for a ReLU and one for its slope', async () => {
    expect(count(await callsOf(mlp))).toEqual({ gemm: 3, ...LOSS, map: LOSS.map + 2, outer: 4 });
  });
  test('3c3d: a ReLU writes into the padded image, its slope reads from one; copies only where two paddings meet convolutions', async () => {
    const calls = await callsOf(threeC3D);
    expect(count(calls)).toEqual({
      convolve: 3,
      convolveTransposed: 2,
      maxPool: 3,
      scatterAdd: 3,
      gemm: 6,
      ...LOSS,
      map: LOSS.map + 5 + 5,
      fill: 4,
      copy: 2,
      outer: 12,
    });
    const biases = calls.flatMap(({ kernel, spec }) =>
      kernel === 'gemm' || kernel === 'convolve' ? [(spec as { readonly bias?: unknown }).bias !== undefined] : [],
    );
    expect(biases).toEqual([true, true, true, true, true, true, false, false, false]);
  });
});
