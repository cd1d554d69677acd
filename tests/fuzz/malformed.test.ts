import { isNativeAvailable } from '@gradpack/backend-native';
import { drawFrom, programIn } from '@gradpack/testkit';
import { describe, expect, it } from 'vitest';
import type { Addon } from '../../packages/backend-native/src/addon-interface.js';
import { encodeProgram } from '../../packages/backend-native/src/encode.js';
import { loadAddon } from '../../packages/backend-native/src/loader.js';
import { DTYPES } from '../../packages/backend-native/src/numbers.js';
import { mutatedWords, randomWords } from './mutated-words.js';
import { randomCase } from './random-case.js';
import { seeded } from './seeded.js';

const available = isNativeAvailable();
const CASES = Number(process.env.GRADPACK_FUZZ_CASES ?? 400);
const FIRST = Number(process.env.GRADPACK_FUZZ_SEED ?? 1);
/** Mutated words of one program. */
const MUTATIONS = 20;
/** A window of many positions takes a while to tabulate, the more so in a sanitizer; endless loops take longer. */
const MOST_SECONDS = 60;
/** Programs that the addon itself expects to take longer are not run: strides of 0 allow endless work on little memory. */
const LONG_SECONDS = 0.02;

/** How an attempt ended: `ran`, `long`, or the code of the error. */
function attempt(addon: Addon, heap: number, words: Float64Array, handles: Float64Array): string {
  try {
    const program = addon.prepare(heap, words);
    const long = addon.estimate(heap, program) > LONG_SECONDS;
    if (!long) addon.run(heap, program, handles);
    addon.dispose(heap, program);
    return long ? 'long' : 'ran';
  } catch (error) {
    return String((error as { readonly code?: unknown }).code ?? error);
  }
}

describe.skipIf(available !== true)(`malformed programs${available === true ? '' : `: ${available}`}`, () => {
  it('are refused, or run within their buffers', () => {
    const addon = loadAddon('test');
    const counts = new Map<string, number>();
    for (let seed = FIRST; seed < FIRST + CASES; seed++) {
      const draw = drawFrom(seeded(seed));
      const { program, data } = randomCase(draw, { rounding: false });
      const precision = draw.pick(['float32', 'float64'] as const);
      const own = programIn(program, precision);
      const words = encodeProgram(own, precision);
      const heap = addon.createHeap(2 ** 26, 0, 2);
      const handles = Float64Array.from(own.buffers, ({ dtype, length }, i) => {
        const storage = addon.allocate(heap, DTYPES.indexOf(dtype), length);
        const Numbers = { float32: Float32Array, float64: Float64Array, int32: Int32Array }[dtype];
        addon.write(heap, storage, Numbers.from(data[i] ?? []));
        return storage;
      });
      expect(attempt(addon, heap, words, handles)).toBe('ran');
      for (let i = 0; i < MUTATIONS; i++) {
        const wrong = i === 0 ? randomWords(draw) : mutatedWords(draw, words);
        const start = performance.now();
        const end = attempt(addon, heap, wrong, handles);
        const seconds = (performance.now() - start) / 1000;
        const what = () => `seed ${seed}, mutation ${i} of ${program.calls[0]?.kernel}: [${wrong}]`;
        if (!/^(ran|long|GRADPACK-INTERNAL|GRADPACK-OUT-OF-MEMORY)$/.test(end)) expect.fail(`${end} by ${what()}`);
        if (seconds > MOST_SECONDS) expect.fail(`${seconds} s for ${what()}`);
        counts.set(end, (counts.get(end) ?? 0) + 1);
      }
      addon.destroyHeap(heap);
    }
    expect(counts.get('GRADPACK-INTERNAL')).toBeGreaterThan(CASES);
    expect(counts.get('ran')).toBeGreaterThan(CASES); // a mistake may leave a program that is another one
  });
});
