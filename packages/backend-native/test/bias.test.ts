import type { Program, Window } from '@gradpack/core';
import { describe, expect, it } from 'vitest';
import { isNativeAvailable, native } from '../src/index.js';

const available = isNativeAvailable();
const plain = { dilation: [1], mode: 'zeros' } as const;

/** One sample of 1 channel → 2 channels by weights 1, 10 and 2, 20, biases 100 and 200. */
async function biased(window: Window, x: readonly number[]): Promise<readonly number[]> {
  const lengths = [x.length, 4, 2, 2 * (window.output[0] as number)];
  const strides = window.transposed ? { g: 4, o: 2, c: 4, k: 1 } : { g: 4, o: 2, c: 2, k: 1 };
  const program: Program = {
    buffers: lengths.map((length, i) => ({
      ...{ dtype: 'float32', length, first: 0, last: 0 },
      role: i < 3 ? 'input' : 'result',
    })),
    slots: [],
    calls: [
      {
        kernel: 'convolve',
        reads: [0, 1, 2].map((buffer) => ({ buffer, offset: 0 })),
        writes: [{ buffer: 3, offset: 0 }],
        spec: {
          ...{ V: 1, N: 1, xPerColumn: true, weightPerColumn: false, accumulate: false, bias: true },
          view: { G: 1, O: 2, C: 1, K: 2, strides },
          window,
        },
      },
    ],
    bytes: { scratch: 0, kept: 0, results: 4 * (lengths[3] as number) },
  };
  const backend = await native();
  const storages = lengths.map((length) => backend.allocate('float32', length));
  for (const [i, numbers] of [x, [1, 10, 2, 20], [100, 200]].entries()) backend.write(storages[i]!, numbers);
  await backend.run(backend.prepare(program), storages);
  const [y] = await backend.read([{ storage: storages[3]!, offset: 0, length: lengths[3] as number }]);
  await backend.dispose();
  return Array.from(y as Float32Array);
}

describe.skipIf(available !== true)(`native convolve with a bias${available === true ? '' : `: ${available}`}`, () => {
  it('adds it to each output channel', async () => {
    const window: Window = { ...plain, input: [3], kernel: [2], output: [2], stride: [1], low: [0], transposed: false };
    expect(await biased(window, [1, 2, 3])).toEqual([121, 132, 242, 264]);
  });

  it('adds it where a transposed window reads nothing, too', async () => {
    const window: Window = { ...plain, input: [2], kernel: [2], output: [6], stride: [3], low: [0], transposed: true };
    expect(await biased(window, [1, 2])).toEqual([101, 110, 100, 102, 120, 100, 202, 220, 200, 204, 240, 200]);
  });
});
