import { cpu } from '@gradpack/backend-cpu';
import { webgpu } from '@gradpack/backend-webgpu';
import type { Backend } from '@gradpack/core';
import { expect, test } from 'vitest';
// as a data URL, which Node and the browser can read
import zipped from '../../examples/digits/data/digits.csv.gz?url&inline';
import { type DataSet, parseDigits } from '../../examples/digits/data-set.js';
import { type DigitsRun, type RunOptions, runDigits } from '../../examples/digits/run.js';
import { differentPredictions, firstLossesError } from '../support/digits-agreement.js';

/** In software a whole run takes minutes: half the epochs, and a seed that gets there by then. */
const OPTIONS: RunOptions = { seed: 6, epochs: 4, inspected: 0 };
const MINUTES = 60_000;

async function readDigits(): Promise<DataSet> {
  const { body } = await fetch(zipped);
  if (!body) throw new Error('no data');
  return parseDigits(await new Response(body.pipeThrough(new DecompressionStream('gzip'))).text());
}

async function runOn(backend: Backend, digits: DataSet): Promise<DigitsRun> {
  try {
    return await runDigits(backend, digits, OPTIONS);
  } finally {
    await backend.dispose();
  }
}

test(
  'digits: webgpu learns as cpu float64 does, and finds the flipped labels',
  async (context) => {
    const backend = await webgpu().catch((reason: unknown) => {
      // with the software GPU an adapter must be there
      if (import.meta.env.GRADPACK_SOFTWARE_GPU === '1') throw reason;
      return context.skip('no WebGPU adapter');
    });
    const digits = await readDigits();
    const run = await runOn(backend, digits);
    const reference = await runOn(cpu({ precision: 'float64' }), digits);
    expect(run.epochs.at(-1)?.accuracy).toBeGreaterThanOrEqual(0.96);
    expect(run.found.length).toBeGreaterThanOrEqual(8);
    expect(firstLossesError(run, reference)).toBeLessThanOrEqual(1e-4);
    expect(differentPredictions(run, reference)).toBeLessThanOrEqual(2);
  },
  5 * MINUTES,
);
