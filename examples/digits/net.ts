import {
  type Backend,
  conv2d,
  crossEntropyLoss,
  extend,
  flatten,
  linear,
  maxPool2d,
  type Net,
  relu,
  sequential,
  tanh,
} from 'gradpack';

// what comes out of `extend` knows the layers, so that asking for a quantity that one of them lacks would not compile
export type DigitsNet = Awaited<ReturnType<typeof makeNet>>;

/** A small convolutional network; tanh makes its Hessian differ from the Gauss-Newton matrix. */
export function makeNet(backend: Backend, seed: number) {
  const model = sequential(
    conv2d(1, 16, 3, { padding: 1 }),
    relu(),
    maxPool2d(2),
    conv2d(16, 32, 3, { padding: 1 }),
    tanh(),
    maxPool2d(2),
    flatten(),
    linear(32 * 2 * 2, 10),
  );
  return extend(model, crossEntropyLoss(), { backend, seed });
}

/** The likeliest class of each image. */
export async function classify(
  net: Net,
  images: { shape: readonly number[]; data: Float32Array<ArrayBuffer> },
): Promise<readonly number[]> {
  const logits = await net.forward(images);
  const [count = 0, classes = 0] = logits.shape;
  const numbers = await logits.data();
  logits.dispose();
  return Array.from({ length: count }, (_, i) => {
    const row = numbers.subarray(i * classes, (i + 1) * classes);
    return row.indexOf(Math.max(...row));
  });
}
