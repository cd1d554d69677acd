import { batchL2Grad } from 'gradpack';
import { allRows, batchOf, type DataSet, inBatches } from './data-set.js';
import type { DigitsNet } from './net.js';

const BATCH = 128;

/** The norm of every image's own gradient, over all parameters. */
export async function gradientNorms(net: DigitsNet, images: DataSet): Promise<readonly number[]> {
  const norms: number[] = [];
  for (const rows of inBatches(allRows(images), BATCH)) {
    const batch = batchOf(images, rows);
    using step = await net.backward(batch.images, batch.labels, { squared: batchL2Grad() }, { mode: 'eval' });
    const { squared } = await step.read();
    const totals = new Float64Array(rows.length);
    for (const [, , { data }] of squared)
      for (let i = 0; i < totals.length; i++) totals[i] = (totals[i] ?? 0) + (data[i] ?? 0);
    // each carries 1/N of the mean
    norms.push(...Array.from(totals, (squaredNorm) => rows.length * Math.sqrt(squaredNorm)));
  }
  return norms;
}

/** Positions of the largest numbers, the largest first. */
export function largest(numbers: readonly number[], count: number): readonly number[] {
  const order = numbers.map((_, i) => i);
  return order.sort((a, b) => (numbers[b] ?? 0) - (numbers[a] ?? 0)).slice(0, count);
}
