import { variance } from 'gradpack';
import { allRows, batchOf, type DataSet, inBatches } from './data-set.js';
import { classify, type DigitsNet } from './net.js';
import { permutation, uniforms } from './random.js';
import { squaredNorm, sum } from './sums.js';

const BATCH = 16;
const RATE = 0.2;

export interface Epoch {
  /** Of each step. */
  readonly losses: readonly number[];
  /** Share of the test images that are classified correctly. */
  readonly accuracy: number;
  /** The class that the net gives each test image. */
  readonly predictions: readonly number[];
  /** Per parameter, over the steps of the epoch. */
  readonly signalToNoise: ReadonlyMap<string, number>;
}

/** Once through the training images in random order, by plain stochastic gradient descent. */
export async function trainEpoch(
  net: DigitsNet,
  training: DataSet,
  test: DataSet,
  { seed, number }: { readonly seed: number; readonly number: number },
): Promise<Epoch> {
  const losses: number[] = [];
  const signal = new Map<string, number>();
  const noise = new Map<string, number>();
  const order = permutation(training.count, uniforms(seed, `epoch ${number}`));
  for (const rows of inBatches(order, BATCH)) {
    const { images, labels } = batchOf(training, rows);
    using step = await net.backward(images, labels, { variance: variance() });
    await net.update(step.gradient, { scale: -RATE });
    const { loss, gradient, variance: spread } = await step.read();
    losses.push(loss);
    for (const [name, , { data }] of gradient) add(signal, name, squaredNorm(data));
    // individual gradients carry 1/N here, so N · Σ variance is the expected squared distance of the mean from the true gradient
    for (const [name, , { data }] of spread) add(noise, name, rows.length * sum(data));
  }
  const predictions = await classify(net, batchOf(test, allRows(test)).images);
  const right = predictions.filter((label, row) => label === test.labels[row]).length;
  const signalToNoise = new Map([...signal].map(([name, value]) => [name, value / (noise.get(name) ?? 0)]));
  return { losses, accuracy: right / test.count, predictions, signalToNoise };
}

function add(totals: Map<string, number>, name: string, value: number): void {
  totals.set(name, (totals.get(name) ?? 0) + value);
}
