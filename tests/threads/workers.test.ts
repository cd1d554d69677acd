import { Worker } from 'node:worker_threads';
import { isNativeAvailable } from '@gradpack/backend-native';
import { describe, expect, it } from 'vitest';
import { steps } from './native-steps.js';

const available = isNativeAvailable();
const STEPS = 8;
/** Runs step-worker.ts, whose imports tsx resolves to sources; --import is no option of worker threads in Node 20. */
const FILE = String(new URL('./step-worker.ts', import.meta.url));
const START = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(FILE)}); });`;
const inWorker = (): Promise<readonly number[]> =>
  new Promise((resolve, reject) => {
    const options = { eval: true, workerData: STEPS, execArgv: ['--conditions=@gradpack/source'] };
    new Worker(START, options).once('message', resolve).once('error', reject);
  });

describe.skipIf(available !== true)(`native in worker threads${available === true ? '' : `: ${available}`}`, () => {
  it('trains in two workers and the main thread at once as it does alone', async () => {
    const alone = await steps(STEPS);
    const together = await Promise.all([inWorker(), inWorker(), steps(STEPS)]);
    for (const sums of together) for (const [i, sum] of sums.entries()) expect(sum / alone[i]!).toBeCloseTo(1, 4);
  });
});
