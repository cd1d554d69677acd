import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isNativeAvailable } from '@gradpack/backend-native';
import { describe, expect, test } from 'vitest';

/** GRADPACK_STEPS=100000 for the long version. */
const STEPS = Number(process.env.GRADPACK_STEPS ?? 2000);
const MIB = 2 ** 20;

interface Held {
  readonly live: number;
  readonly pooled: number;
  readonly plans: number;
  readonly heap: number;
  readonly rss: number;
}

async function heldDuring(backend: string): Promise<readonly Held[]> {
  const script = fileURLToPath(new URL('many-steps.ts', import.meta.url));
  // a young generation that grows as it sees fit, to 32 MB, would hide what steps leave behind
  const young = ['--min-semi-space-size=1', '--max-semi-space-size=1'];
  const flags = ['--expose-gc', ...young, '--conditions=@gradpack/source', '--import', import.meta.resolve('tsx')];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, backend, String(STEPS)], {
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  return JSON.parse(stdout) as readonly Held[];
}

describe.each([
  ['cpu', true],
  ['native', isNativeAvailable()],
] as const)('%s', (backend, available) => {
  test.skipIf(available !== true)(
    `${STEPS} steps with updates hold no more at the end than at the start`,
    async () => {
      const held = await heldDuring(backend);
      // the first intervals compile and fill the pool
      const settled = held.slice(3);
      const [first] = settled;
      for (const { live, pooled, plans } of settled)
        expect({ live, pooled, plans }).toEqual({ live: first!.live, pooled: first!.pooled, plans: first!.plans });
      expect(settled.at(-1)!.heap - first!.heap, 'bytes of the JavaScript heap').toBeLessThan(MIB);
      // the collector's old spaces come and go, so halves are compared
      const half = settled.length >> 1;
      const most = Math.max(...settled.slice(0, half).map(({ rss }) => rss));
      const least = Math.min(...settled.slice(half).map(({ rss }) => rss));
      expect(least - most, 'bytes of the process').toBeLessThan(8 * MIB);
      if (process.env.GRADPACK_STEPS) console.table(held);
    },
    60_000 + STEPS * 20,
  );
});
