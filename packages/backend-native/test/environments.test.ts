import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Program } from '@gradpack/core';
import { describe, expect, it } from 'vitest';
import { encodeProgram } from '../src/encode.js';
import { isNativeAvailable, native } from '../src/index.js';

const available = isNativeAvailable();
const path = process.env.GRADPACK_NATIVE ?? fileURLToPath(new URL('../build/Release/gradpack.node', import.meta.url));
const SIDE = 192;

/** C = A B `rounds` times. */
function products(rounds: number): Program {
  const buffer = { dtype: 'float32', length: SIDE * SIDE, first: 0, last: rounds - 1 } as const;
  const strides = { b: 0, m: SIDE, n: 1 };
  const spec = {
    batch: 1,
    M: SIDE,
    N: SIDE,
    K: SIDE,
    a: { b: 0, m: SIDE, k: 1 },
    b: { b: 0, k: SIDE, n: 1 },
    c: strides,
    alpha: 1,
    accumulate: false,
  };
  const at = (index: number) => ({ buffer: index, offset: 0 });
  return {
    buffers: [
      { ...buffer, role: 'input' },
      { ...buffer, role: 'input' },
      { ...buffer, role: 'result' },
    ],
    slots: [],
    calls: Array.from({ length: rounds }, () => ({
      kernel: 'gemm' as const,
      spec,
      reads: [at(0), at(1)],
      writes: [at(2)],
    })),
    bytes: { scratch: 0, kept: 0, results: 0 },
  };
}

/** Plain JavaScript that has the addon, a heap and a bound program: for processes and workers without TypeScript. */
const setUp = (rounds: number, threads = 2): string => `
  const addon = require(${JSON.stringify(path)});
  const heap = addon.createHeap(2 ** 30, 2 ** 30, ${threads});
  const side = ${SIDE};
  const stored = (fill) => { const h = addon.allocate(heap, 0, side * side); addon.write(heap, h, new Float32Array(side * side).fill(fill)); return h; };
  const handles = Float64Array.of(stored(1), stored(2), stored(0));
  const program = addon.prepare(heap, Float64Array.from(${JSON.stringify([...encodeProgram(products(rounds), 'float32')])}));
  const right = () => { const c = new Float32Array(side * side); addon.read(heap, handles[2], 0, c); return c.every((x) => x === 2 * side); };
`;

const inProcess = (script: string) =>
  spawnSync(process.execPath, ['-'], { input: script, encoding: 'utf8', timeout: 30_000 });

describe.skipIf(available !== true)(
  `native in several environments${available === true ? '' : `: ${available}`}`,
  () => {
    it('computes in two workers and the main thread at once', async () => {
      const script = `${setUp(5)}
      const { parentPort } = require('node:worker_threads');
      (async () => {
        let sound = true;
        for (let i = 0; i < 40; i++) { i % 2 ? addon.run(heap, program, handles) : await addon.runAsync(heap, program, handles); sound &&= right(); }
        parentPort.postMessage(sound);
      })();`;
      const workers = [1, 2].map(() => new Worker(script, { eval: true }));
      const answers = Promise.all(
        workers.map(
          (worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)),
        ),
      );
      const backend = await native({ threads: 2 });
      const prepared = backend.prepare(products(20));
      const storages = [1, 2, 0].map((fill) => {
        const storage = backend.allocate('float32', SIDE * SIDE);
        backend.write(storage, new Float32Array(SIDE * SIDE).fill(fill));
        return storage;
      });
      for (let i = 0; i < 10; i++) await backend.run(prepared, storages);
      const [numbers] = await backend.read([{ storage: storages[2]!, offset: 0, length: SIDE * SIDE }]);
      expect(numbers?.every((x) => x === 2 * SIDE)).toBe(true);
      expect(await answers).toEqual([true, true]);
      await backend.dispose();
      await Promise.all(workers.map((worker) => worker.terminate()));
    });

    it('lends the same working memory to runs on whichever thread, main, of Node or worker, and frees it with the last heap', () => {
      const alone = setUp(50, 1);
      const worker = `${alone} addon.run(heap, program, handles);`;
      const { status, stdout } = inProcess(`${alone}
      const working = (of = heap) => { const all = new Float64Array(5); addon.statistics(of, all); return all[4]; };
      const { Worker } = require('node:worker_threads');
      (async () => {
        addon.run(heap, program, handles);
        const first = working();
        for (let i = 0; i < 12; i++) await addon.runAsync(heap, program, handles);
        for (let i = 0; i < 2; i++) await new Promise((resolve) => new Worker(${JSON.stringify(worker)}, { eval: true }).once('exit', resolve));
        console.log(first > 0, working() - first);
        addon.destroyHeap(heap);
        console.log(working(addon.createHeap(2 ** 30, 2 ** 30, 1)));
      })();`);
      expect({ status, stdout }).toEqual({ status: 0, stdout: 'true 0\n0\n' });
    });

    it('refuses the heaps of other environments, and their storage on heaps of its own', () => {
      const worker = `
      const { workerData: { heap, storage }, parentPort } = require('node:worker_threads');
      const addon = require(${JSON.stringify(path)});
      const own = addon.createHeap(2 ** 20, 0, 1);
      const codeOf = (call) => { try { call(); return 'nothing'; } catch (error) { return error.code; } };
      parentPort.postMessage([codeOf(() => addon.allocate(heap, 0, 4)), codeOf(() => addon.destroyHeap(heap)), codeOf(() => addon.release(own, storage))].join(' '));`;
      const { status, stdout } = inProcess(`${setUp(1)}
      const { Worker } = require('node:worker_threads');
      new Worker(${JSON.stringify(worker)}, { eval: true, workerData: { heap, storage: handles[0] } }).once('message', (codes) => {
        console.log(codes);
        addon.run(heap, program, handles);
        console.log(right());
      });`);
      expect({ status, stdout }).toEqual({
        status: 0,
        stdout: 'GRADPACK-DISPOSED GRADPACK-DISPOSED GRADPACK-MIXED-BACKENDS\ntrue\n',
      });
    });

    it('ends at once, with the exit code, when the process exits during a run', () => {
      const { status, signal } = inProcess(
        `${setUp(20_000)} process.once('exit', () => addon.stopAll()); addon.runAsync(heap, program, handles); setTimeout(() => process.exit(3), 20);`,
      );
      expect({ status, signal }).toEqual({ status: 3, signal: null });
    });

    it('refuses to hand storage over while a run goes on', () => {
      const { status, stdout } = inProcess(
        `${setUp(500)} const running = addon.runAsync(heap, program, handles);
        try { addon.take(heap, handles[2]); } catch (error) { console.log(error.code); }
        running.then(() => console.log(right(), addon.take(heap, handles[2]).byteLength));`,
      );
      expect({ status, stdout }).toEqual({ status: 0, stdout: `GRADPACK-INTERNAL\ntrue ${4 * SIDE * SIDE}\n` });
    });

    it('ends with code 1 after an uncaught error during a run', () => {
      const { status, signal } = inProcess(
        `${setUp(20_000)} process.once('exit', () => addon.stopAll()); addon.runAsync(heap, program, handles); setTimeout(() => { throw new Error('planned'); }, 20);`,
      );
      expect({ status, signal }).toEqual({ status: 1, signal: null });
    });

    it('lets a worker be terminated during a run', () => {
      const worker = `${setUp(500)} addon.runAsync(heap, program, handles); require('node:worker_threads').parentPort.postMessage(0);`;
      const { status, stdout } = inProcess(`
      const { Worker } = require('node:worker_threads');
      const worker = new Worker(${JSON.stringify(worker)}, { eval: true });
      worker.once('message', async () => { await worker.terminate(); console.log('terminated'); });`);
      expect({ status, stdout }).toEqual({ status: 0, stdout: 'terminated\n' });
    });

    it.skipIf(process.platform !== 'linux')(
      'keeps one pool of threads for workers that come and go, where the main thread never loads it',
      () => {
        const worker = `
      const addon = require(${JSON.stringify(path)});
      const heap = addon.createHeap(2 ** 30, 2 ** 28, 2);
      addon.write(heap, addon.allocate(heap, 0, 2 ** 21), new Float32Array(2 ** 21).fill(1));`;
        const { status, stdout } = inProcess(`
      const { Worker } = require('node:worker_threads');
      const threads = () => require('node:fs').readdirSync('/proc/self/task').length;
      (async () => {
        const counts = [];
        for (let i = 0; i < 8; i++) {
          await new Promise((resolve) => new Worker(${JSON.stringify(worker)}, { eval: true }).once('exit', resolve));
          counts.push(threads());
        }
        console.log(counts[7] - counts[1]);
      })();`);
        expect({ status, stdout }).toEqual({ status: 0, stdout: '0\n' });
      },
    );

    it('stops between two calls', async () => {
      const backend = await native({ threads: 1 });
      const prepared = backend.prepare(products(3000));
      const storages = [0, 1, 2].map(() => backend.allocate('float32', SIDE * SIDE));
      for (const storage of storages) backend.write(storage, new Float32Array(SIDE * SIDE));
      const controller = new AbortController();
      const running = backend.run(prepared, storages, { abort: controller.signal });
      controller.abort(new Error('enough'));
      await expect(running).rejects.toThrow('enough');
      expect(backend.kernelSeconds()).toBeLessThan(0.2);
      await backend.dispose();
    });
  },
);
