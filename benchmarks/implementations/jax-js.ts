import type { Data, Floats, Integers } from '../data.js';
import type { Implementation, Subject } from '../implementation.js';
import type { Problem } from '../problem.js';
import type { QuantityName } from '../quantities.js';
import { turnOf } from '../turns.js';
import { load, missing, packageFolder, packageVersion } from './installed.js';
import { linearLayers } from './linear-layers.js';

const PACKAGE = '@jax-js/jax';

/** WebAssembly, on one thread: Node has no global Worker. */
export const jaxJs: Implementation = {
  name: 'jax-js',
  threads: 1,
  timesReading: true,
  version: () => packageVersion(PACKAGE),
  ...missing(packageFolder(PACKAGE)),
  prepare,
};

/** What is used of jax-js. Functions consume their arguments, unless passed as `ref`. */
interface Jax {
  init(device: 'wasm'): Promise<unknown>;
  defaultDevice(device: 'wasm'): unknown;
  readonly numpy: {
    array(
      data: (Floats | Integers)['data'],
      options: { readonly shape: readonly number[]; readonly dtype?: 'int32' },
    ): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    transpose(a: JaxArray): JaxArray;
  };
  readonly nn: {
    relu(x: JaxArray): JaxArray;
    logSoftmax(x: JaxArray): JaxArray;
    oneHot(x: JaxArray, classes: number): JaxArray;
  };
  readonly tree: {
    ref<T>(tree: T): T;
    leaves(tree: unknown): readonly JaxArray[];
    dispose(tree: unknown): void;
  };
  jit<F>(f: F): F;
  grad(f: Loss): Gradient;
  vmap(f: Gradient, axes: readonly (number | null)[]): Gradient;
  blockUntilReady(tree: unknown): Promise<unknown>;
}

interface JaxArray {
  readonly ref: JaxArray;
  add(other: JaxArray): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  sum(): JaxArray;
  data(): Promise<Float32Array>;
  dispose(): void;
}

type Parameters = readonly JaxArray[];
type Loss = (parameters: Parameters, images: JaxArray, labels: JaxArray) => JaxArray;
type Gradient = (parameters: Parameters, images: JaxArray, labels: JaxArray) => Parameters;

async function prepare(problem: Problem, quantity: QuantityName, data: Data): Promise<Subject | undefined> {
  const layers = linearLayers(data);
  if (!layers || !(quantity === 'gradient' || quantity === 'BatchGrad')) return undefined;
  const jax = load<Jax>(PACKAGE);
  await jax.init('wasm');
  jax.defaultDevice('wasm');

  const parameters = layers.parameters.map(({ data, shape }) => jax.numpy.array(data, { shape }));
  const images = jax.numpy.array(layers.images.data, { shape: layers.images.shape });
  const labels = jax.numpy.array(data.labels.data, { shape: data.labels.shape, dtype: 'int32' });
  const loss = lossOf(jax, problem.classes, data.labels.data.length);
  const gradient = jax.grad(loss);
  // individual gradients are those of each sample's share of the mean; one more gradient costs less than summing them
  const both = (parameters: Parameters, images: JaxArray, labels: JaxArray): readonly Parameters[] => [
    gradient(jax.tree.ref(parameters), images.ref, labels.ref),
    ...(quantity === 'gradient' ? [] : [jax.vmap(jax.grad(loss), [null, 0, 0])(parameters, images, labels)]),
  ];
  const compute = jax.jit(both);

  const run = async <R>(use: (found: readonly Parameters[]) => Promise<R> | R): Promise<R> => {
    const found = compute(jax.tree.ref(parameters), images.ref, labels.ref);
    await jax.blockUntilReady(found);
    return use(found);
  };
  const read = async (found: readonly Parameters[]) => {
    const all = new Map<string, Float32Array>();
    for (const [i, key] of ['gradient', 'found'].entries())
      for (const [p, array] of (found[i] ?? []).entries()) all.set(`${key} ${layers.names[p]}`, await array.data());
    return all;
  };
  return {
    turn: (milliseconds) => turnOf(() => run(jax.tree.dispose), milliseconds),
    readingTurn: (milliseconds) => turnOf(() => run(read), milliseconds),
    results: () => run(read),
    peakBytes: async () => undefined,
    dispose: async () => jax.tree.dispose([parameters, images, labels]),
  };
}

function lossOf({ numpy, nn }: Jax, classes: number, N: number): Loss {
  return (parameters, images, labels) => {
    let x = images;
    for (let i = 0; i < parameters.length; i += 2) {
      const [weight, bias] = parameters.slice(i, i + 2) as [JaxArray, JaxArray];
      x = numpy.matmul(i > 0 ? nn.relu(x) : x, numpy.transpose(weight)).add(bias);
    }
    return nn
      .logSoftmax(x)
      .mul(nn.oneHot(labels, classes))
      .sum()
      .mul(-1 / N);
  };
}
