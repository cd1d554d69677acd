import type { Backend } from 'gradpack';
import { inspect, type ParameterReport } from './curvature.js';
import { allRows, batchOf, type DataSet } from './data-set.js';
import { gradientNorms, largest } from './gradient-norms.js';
import { classify, makeNet } from './net.js';
import { type Split, splitDigits } from './split.js';
import { type Epoch, trainEpoch } from './train.js';

/** Flipped labels are looked for among this many of the largest gradient norms. */
export const SUSPECTS = 40;
/** Training images of the one extended backward pass. */
export const INSPECTED = 128;

export interface RunOptions {
  readonly seed: number;
  readonly epochs: number;
  /** Training images of the extended backward pass, 128 when absent; 0 leaves it out. */
  readonly inspected?: number;
  /** Called after each epoch, from 1 on. */
  readonly onEpoch?: (epoch: Epoch, number: number) => void;
  /** Called before the net is looked into. */
  readonly onTrained?: () => void;
}

export interface DigitsRun {
  readonly split: Split;
  readonly epochs: readonly Epoch[];
  /** Of each training image's own gradient. */
  readonly norms: readonly number[];
  /** The class that the net gives each training image. */
  readonly predictions: readonly number[];
  /** Rows of flipped labels that are among the largest norms. */
  readonly found: readonly number[];
  readonly parameters: readonly ParameterReport[];
}

/** Trains on the digits, then looks into the net. */
export async function runDigits(
  backend: Backend,
  digits: DataSet,
  { seed, epochs: count, inspected = INSPECTED, onEpoch, onTrained }: RunOptions,
): Promise<DigitsRun> {
  const split = splitDigits(digits, seed);
  const { training, test, flipped } = split;
  const net = await makeNet(backend, seed);
  try {
    const epochs: Epoch[] = [];
    for (let number = 1; number <= count; number++) {
      const epoch = await trainEpoch(net, training, test, { seed, number });
      epochs.push(epoch);
      onEpoch?.(epoch, number);
    }
    onTrained?.();
    const rows = allRows(training);
    const norms = await gradientNorms(net, training);
    const predictions = await classify(net, batchOf(training, rows).images);
    const parameters = inspected > 0 ? await inspect(net, batchOf(training, rows.slice(0, inspected))) : [];
    const found = largest(norms, SUSPECTS).filter((row) => flipped.has(row));
    return { split, epochs, norms, predictions, found, parameters };
  } finally {
    await net.dispose();
  }
}
