import type { Backend, TypedArray, Window } from '@gradpack/core';
import { type ConformanceCase, programIn } from '@gradpack/testkit';

/** What the writes of a recorded case hold after its run. */
export async function writesOf(backend: Backend, { program, data }: ConformanceCase): Promise<readonly TypedArray[]> {
  const own = programIn(program, backend.precision);
  const prepared = backend.prepare(own);
  const bound = own.buffers.map(({ dtype, length }) => backend.allocate(dtype, length));
  try {
    for (const [i, storage] of bound.entries()) backend.write(storage, data[i] as TypedArray);
    await backend.run(prepared, bound);
    const written = own.calls
      .flatMap(({ writes }) => writes)
      .map(({ buffer }) => bound[buffer] as (typeof bound)[number]);
    return await backend.read(written.map((storage) => ({ storage, offset: 0, length: storage.length })));
  } finally {
    for (const storage of bound) backend.release(storage);
    prepared.dispose();
  }
}

/** Positive and negative, off centre: sums grow as those of activations do. Every one is a float32 number. */
export function offCentre(length: number, seed = 1): Float64Array<ArrayBuffer> {
  let state = seed;
  return Float64Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.fround(state / 2 ** 32 - 0.25);
  });
}

type Pair = readonly [number, number];

/** [planes, K, T] of images [planes, S] under a window of two axes without stride or dilation, zeros outside. */
export function unfolded(image: Float64Array, window: Window): Float64Array<ArrayBuffer> {
  const { input, kernel, output, low } = window as unknown as Readonly<
    Record<'input' | 'kernel' | 'output' | 'low', Pair>
  >;
  const [K, T, S] = [kernel[0] * kernel[1], output[0] * output[1], input[0] * input[1]];
  const planes = image.length / S;
  const result = new Float64Array(planes * K * T);
  for (let plane = 0; plane < planes; plane++)
    for (let k = 0; k < K; k++)
      for (let t = 0; t < T; t++) {
        const y = Math.floor(t / output[1]) - low[0] + Math.floor(k / kernel[1]);
        const x = (t % output[1]) - low[1] + (k % kernel[1]);
        if (y >= 0 && y < input[0] && x >= 0 && x < input[1])
          result[(plane * K + k) * T + t] = image[plane * S + y * input[1] + x] as number;
      }
  return result;
}
