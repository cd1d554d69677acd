import { parseArgs } from 'node:util';
import { native } from '@gradpack/backend-native';
import { makeData } from './data.js';
import { prepare } from './implementations/gradpack.js';
import { batchSize } from './problem.js';
import { PROBLEMS } from './problems/index.js';
import { QUANTITIES } from './quantities.js';

const HELP = `Where the native backend spends a step, kernel by kernel.

  npm run profile -- [--problem <name>] [--quantity <name>] [--threads <n>] [--seconds <n>]`;

/** Means over the steps of some seconds; what is left to the step is the engine. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      problem: { type: 'string', default: '3c3d' },
      quantity: { type: 'string', default: 'gradient' },
      threads: { type: 'string', default: '2' },
      seconds: { type: 'string', default: '3' },
      help: { type: 'boolean', default: false },
    },
  });
  const problem = PROBLEMS.find(({ name }) => name === values.problem);
  const quantity = QUANTITIES.find((name) => name === values.quantity);
  if (values.help || !problem || !quantity) {
    console.log(HELP);
    return;
  }
  const backend = await native({ threads: Number(values.threads) });
  const subject = await prepare(backend, problem, quantity, await makeData(problem, batchSize(problem, quantity)));
  try {
    for (let warm = 0; warm < 3; warm++) await subject.turn(0);
    const before = new Map(backend.profile().map((kernel) => [kernel.kernel, kernel]));
    const times = [...(await subject.turn(1000 * Number(values.seconds)))];
    const steps = times.length;
    const mean = times.reduce((sum, time) => sum + time, 0) / steps;
    const median = times.sort((a, b) => a - b)[steps >> 1] ?? 0;
    console.log(`${problem.name} ${quantity}, ${values.threads} threads, ${backend.isa}, ${steps} steps`);
    console.log(`step: mean ${mean.toFixed(3)} ms, median ${median.toFixed(3)}, minimum ${(times[0] ?? 0).toFixed(3)}`);
    let inKernels = 0;
    for (const { kernel, calls, seconds, flops } of backend.profile()) {
      const earlier = before.get(kernel) ?? { calls: 0, seconds: 0, flops: 0 };
      const own = seconds - earlier.seconds;
      inKernels += (1e3 * own) / steps;
      const rate = flops > 0 ? `${((flops - earlier.flops) / own / 1e9).toFixed(1)} GFLOP/s` : '';
      const count = (calls - earlier.calls) / steps;
      console.log(
        `${kernel.padEnd(22)} ${count.toFixed(0).padStart(4)} × ${((1e3 * own) / steps).toFixed(3).padStart(9)} ms  ${rate}`,
      );
    }
    console.log(`${'outside kernels'.padEnd(22)}        ${(mean - inKernels).toFixed(3).padStart(9)} ms`);
  } finally {
    await subject.dispose();
  }
}

await main();
