import { cpu } from '@gradpack/backend-cpu';
import { isNativeAvailable, native } from '@gradpack/backend-native';
import type { Backend, Precision, Storage, TypedArray } from '@gradpack/core';
import { type ConformanceCase, drawFrom, programIn, worstError } from '@gradpack/testkit';
import { describe, expect, it } from 'vitest';
import { randomCase } from './random-case.js';
import { seeded } from './seeded.js';

const available = isNativeAvailable();
/** Programs of each setting; the first seed, to go on where another run ended. */
const CASES = Number(process.env.GRADPACK_FUZZ_CASES ?? 400);
const FIRST = Number(process.env.GRADPACK_FUZZ_SEED ?? 1);

/** What every bound buffer holds after the run, also what must not have changed. */
async function results(backend: Backend, { program, data }: ConformanceCase): Promise<readonly TypedArray[]> {
  const own = programIn(program, backend.precision);
  const prepared = backend.prepare(own);
  const bindings = data.map((array, i): Storage | undefined => {
    if (!array) return undefined;
    const storage = backend.allocate(own.buffers[i]!.dtype, array.length);
    backend.write(storage, array);
    return storage;
  });
  const bound = bindings.flatMap((storage) => storage ?? []);
  try {
    await backend.run(prepared, bindings);
    return await backend.read(bound.map((storage) => ({ storage, offset: 0, length: storage.length })));
  } finally {
    for (const storage of bound) backend.release(storage);
    prepared.dispose();
  }
}

describe.skipIf(available !== true)(
  `random programs, native against cpu${available === true ? '' : `: ${available}`}`,
  () => {
    it.each<{ precision: Precision; threads: number; rounding: boolean; tolerance: number }>([
      { precision: 'float32', threads: 1, rounding: false, tolerance: 1e-6 },
      { precision: 'float32', threads: 2, rounding: false, tolerance: 1e-6 },
      { precision: 'float64', threads: 2, rounding: true, tolerance: 1e-9 },
    ])('$precision, $threads threads', async ({ precision, threads, rounding, tolerance }) => {
      const [backend, oracle] = [await native({ precision, threads }), cpu({ precision: 'float64' })];
      for (let seed = FIRST; seed < FIRST + CASES; seed++) {
        const drawn = randomCase(drawFrom(seeded(seed)), { rounding });
        const [got, expected] = [await results(backend, drawn), await results(oracle, drawn)];
        const error = worstError(got.map((numbers, i) => ({ got: numbers, expected: expected[i] as TypedArray })));
        const what = () => `seed ${seed}: ${JSON.stringify(drawn.program.calls)}`;
        if (!(error <= tolerance)) expect.fail(`${drawn.name} is off by ${error}; ${what()}`);
      }
      expect(backend.memory().live).toBe(0);
      await backend.dispose();
    });
  },
);
