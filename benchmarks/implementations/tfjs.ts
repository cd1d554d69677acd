import type { Data, Floats, Integers } from '../data.js';
import type { Implementation, Subject } from '../implementation.js';
import type { Problem } from '../problem.js';
import type { QuantityName } from '../quantities.js';
import { turnOf } from '../turns.js';
import { load, missing, packageFolder, packageVersion } from './installed.js';
import { linearLayers } from './linear-layers.js';

/** The core alone has no gradients. */
const [WHOLE, WASM] = ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm'] as const;

/** Its WebAssembly backend, which has no threads in Node. */
export const tfjs: Implementation = {
  name: 'tfjs',
  threads: 1,
  timesReading: true,
  version: () => packageVersion(WASM),
  ...missing(packageFolder(WASM)),
  prepare,
};

/** What is used of tfjs. */
interface Tensorflow {
  setBackend(name: 'wasm'): Promise<boolean>;
  tensor(data: (Floats | Integers)['data'], shape: readonly number[], dtype?: 'int32'): TfTensor;
  matMul(a: TfTensor, b: TfTensor, transposeA: boolean, transposeB: boolean): TfTensor;
  add(a: TfTensor, b: TfTensor): TfTensor;
  mul(a: TfTensor, b: TfTensor | number): TfTensor;
  relu(x: TfTensor): TfTensor;
  logSoftmax(x: TfTensor): TfTensor;
  oneHot(labels: TfTensor, classes: number): TfTensor;
  sum(x: TfTensor): TfTensor;
  slice(x: TfTensor, begin: number, size: number): TfTensor;
  stack(x: readonly TfTensor[]): TfTensor;
  grads(f: (...parameters: TfTensor[]) => TfTensor): (parameters: readonly TfTensor[]) => TfTensor[];
  tidy<T>(f: () => T): T;
  dispose(tensors: unknown): void;
  profile(f: () => unknown): Promise<{ readonly peakBytes: number }>;
}

interface TfTensor {
  data(): Promise<Float32Array>;
}

async function prepare({ classes }: Problem, quantity: QuantityName, data: Data): Promise<Subject | undefined> {
  const layers = linearLayers(data);
  if (!layers || !(quantity === 'gradient' || quantity === 'BatchGrad')) return undefined;
  const tf = load<Tensorflow>(WHOLE);
  load(WASM);
  await tf.setBackend('wasm');

  const parameters = layers.parameters.map(({ data, shape }) => tf.tensor(data, shape));
  const images = tf.tensor(layers.images.data, layers.images.shape);
  const labels = tf.tensor(data.labels.data, data.labels.shape, 'int32');
  const N = data.labels.data.length;
  const gradient = (images: TfTensor, labels: TfTensor): TfTensor[] =>
    tf.grads((...parameters) => lossOf(tf, parameters, images, labels, classes, N))(parameters);
  /** There is no vmap: sample after sample, of each its share of the mean. */
  const individual = (): TfTensor[] => {
    const samples = Array.from({ length: N }, (_, n) => gradient(tf.slice(images, n, 1), tf.slice(labels, n, 1)));
    return parameters.map((_, p) => tf.stack(samples.map((sample) => sample[p] as TfTensor)));
  };
  const compute = (): readonly TfTensor[][] =>
    tf.tidy(() => [gradient(images, labels), ...(quantity === 'gradient' ? [] : [individual()])]);

  const read = async () => {
    const all = new Map<string, Float32Array>();
    const found = compute();
    for (const [i, key] of ['gradient', 'found'].entries())
      for (const [p, tensor] of (found[i] ?? []).entries()) all.set(`${key} ${layers.names[p]}`, await tensor.data());
    tf.dispose(found);
    return all;
  };
  return {
    turn: (milliseconds) => turnOf(async () => tf.dispose(compute()), milliseconds),
    readingTurn: (milliseconds) => turnOf(read, milliseconds),
    results: read,
    peakBytes: async () => (await tf.profile(() => tf.dispose(compute()))).peakBytes,
    dispose: async () => tf.dispose([parameters, images, labels]),
  };
}

function lossOf(
  tf: Tensorflow,
  parameters: readonly TfTensor[],
  images: TfTensor,
  labels: TfTensor,
  classes: number,
  N: number,
): TfTensor {
  let x = images;
  for (let i = 0; i < parameters.length; i += 2) {
    const [weight, bias] = parameters.slice(i, i + 2) as [TfTensor, TfTensor];
    x = tf.add(tf.matMul(i > 0 ? tf.relu(x) : x, weight, false, true), bias);
  }
  return tf.mul(tf.sum(tf.mul(tf.logSoftmax(x), tf.oneHot(labels, classes))), -1 / N);
}
