import { batchOf, type DataSet } from './data-set.js';
import { permutation, uniforms } from './random.js';

const TRAINING = 1437;
const FLIPPED = 10;
const CLASSES = 10;

export interface Split {
  /** With some labels that are wrong on purpose. */
  readonly training: DataSet;
  readonly test: DataSet;
  /** True labels of the training images whose label is wrong, by row. */
  readonly flipped: ReadonlyMap<number, number>;
}

/** A random split into 1437 training and 360 test images, and ten training labels replaced by another class. */
export function splitDigits(digits: DataSet, seed: number): Split {
  const order = permutation(digits.count, uniforms(seed, 'split'));
  const training = select(digits, order.slice(0, TRAINING));
  const draws = uniforms(seed, 'flipped labels');
  const flipped = new Map<number, number>();
  for (const row of permutation(training.count, draws).slice(0, FLIPPED)) {
    const label = training.labels[row] ?? 0;
    flipped.set(row, label);
    training.labels[row] = (label + 1 + Math.floor(draws.next().value * (CLASSES - 1))) % CLASSES;
  }
  return { training, test: select(digits, order.slice(TRAINING)), flipped };
}

function select(digits: DataSet, rows: readonly number[]): DataSet {
  const { images, labels } = batchOf(digits, rows);
  return { count: rows.length, images: images.data, labels };
}
