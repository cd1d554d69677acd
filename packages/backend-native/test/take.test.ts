import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Addon } from '../src/addon-interface.js';
import { nativeBackend } from '../src/backend.js';
import { isNativeAvailable, type NativeBackend, native } from '../src/index.js';
import { loadAddon } from '../src/loader.js';

const available = isNativeAvailable();
const path = process.env.GRADPACK_NATIVE ?? fileURLToPath(new URL('../build/Release/gradpack.node', import.meta.url));
const LENGTH = 1 << 16;

describe.skipIf(available !== true)(`what is taken from native${available === true ? '' : `: ${available}`}`, () => {
  let backend: NativeBackend;
  beforeEach(async () => {
    backend = await native({ threads: 2 });
  });
  afterEach(() => backend.dispose());
  const stored = (fill: number, length = LENGTH, on = backend) => {
    const storage = on.allocate('float32', length);
    on.write(storage, new Float32Array(length).fill(fill));
    return storage;
  };
  const whole = (storage: ReturnType<typeof stored>) => ({ storage, offset: 0, length: storage.length });
  const take = async (storage: ReturnType<typeof stored>, on = backend) => (await on.take!([whole(storage)]))[0]!;

  it('is the storage’s memory, which counts neither as live nor as pooled', async () => {
    const [a, b] = [stored(1), stored(2)];
    const [taken, other] = [await take(a), await take(b)];
    expect(taken).toBeInstanceOf(Float32Array);
    expect(taken.buffer.byteLength).toBe(4 * LENGTH);
    expect(new Set([...taken, ...other])).toEqual(new Set([1, 2]));
    expect(backend.memory()).toMatchObject({ live: 0, pooled: 0 });
    const c = stored(3); // no block is there for it but a fresh one
    expect(taken.every((x) => x === 1)).toBe(true);
    backend.release(c);
    expect(backend.memory()).toMatchObject({ live: 0, pooled: 4 * LENGTH });
  });

  it('comes back at once when it is recycled, and is empty then', async () => {
    const taken = await take(stored(1));
    const part = taken.subarray(8);
    backend.recycle!(taken.buffer);
    expect([taken.length, part.length, taken.buffer.byteLength]).toEqual([0, 0, 0]);
    expect(backend.memory()).toMatchObject({ live: 0, pooled: 4 * LENGTH });
    const next = await take(stored(2));
    expect(backend.memory()).toMatchObject({ live: 0, pooled: 0 });
    backend.recycle!(taken.buffer); // nothing happens
    expect(next.every((x) => x === 2)).toBe(true);
  });

  it('leaves buffers alone that are not its own', async () => {
    const other = await native();
    const [foreign, own] = [await take(stored(4, LENGTH, other), other), new Float32Array(LENGTH).fill(5)];
    const storage = stored(6);
    const view = backend.view!(whole(storage));
    for (const { buffer } of [foreign, own, view]) backend.recycle!(buffer);
    expect([foreign[0], own[0], view[0]]).toEqual([4, 5, 6]);
    await other.dispose();
    other.recycle!(foreign.buffer);
    expect(foreign[0]).toBe(4);
  });

  it('is no view’s any more', async () => {
    const storage = stored(1);
    const view = backend.view!(whole(storage));
    const taken = await take(storage);
    expect(view.length).toBe(0);
    expect(taken.every((x) => x === 1)).toBe(true);
  });

  it('is a copy where the storage is small, and the block is kept', async () => {
    const taken = await take(stored(1, 10));
    expect(taken).toEqual(new Float32Array(10).fill(1));
    expect(backend.memory()).toMatchObject({ live: 0, pooled: 64 });
  });

  it('outlives its backend', async () => {
    const other = await native();
    const taken = await take(stored(4, LENGTH, other), other);
    await other.dispose();
    expect(taken.every((x) => x === 4)).toBe(true);
    taken.fill(5);
  });

  it('may be cloned and sent, and stays sound whatever the engine makes of a transfer', async () => {
    const taken = await take(stored(6));
    expect(structuredClone(taken)).toEqual(taken);
    try {
      const sent = structuredClone(taken, { transfer: [taken.buffer] });
      expect(sent.every((x) => x === 6)).toBe(true);
    } catch (error) {
      expect((error as Error).name).toBe('DataCloneError');
    }
    expect(taken.every((x) => x === 6)).toBe(true);
  });

  it('is copied where the engine allows no buffers of foreign memory', async () => {
    const addon: Addon = { ...loadAddon('test'), take: () => undefined };
    const settings = { precision: 'float32', threads: 1, memory: 2 ** 30, physical: 2 ** 30 } as const;
    const other = nativeBackend(addon, settings);
    const taken = await take(stored(7, LENGTH, other), other);
    expect(taken.every((x) => x === 7)).toBe(true);
    expect(other.memory()).toMatchObject({ live: 0, pooled: 4 * LENGTH });
    await other.dispose();
  });

  it('gives all memory back where one array cannot be made', async () => {
    const addon: Addon = {
      ...loadAddon('test'),
      read() {
        throw new RangeError('no memory');
      },
    };
    const settings = { precision: 'float32', threads: 1, memory: 2 ** 30, physical: 2 ** 30 } as const;
    const other = nativeBackend(addon, settings);
    const storages = [stored(1, 10, other), stored(2, LENGTH, other), stored(3, 10, other)];
    await expect(other.take!(storages.map(whole))).rejects.toThrow('no memory');
    expect(other.memory().live).toBe(0);
    await other.dispose();
  });

  it('is not limited by the memory that a backend may use, and comes back into it only where there is room', () => {
    // two blocks of the three that are taken fit
    const { status, stdout } = collecting(`
      const heap = addon.createHeap(2 ** 20, 2 ** 20, 1);
      let taken = [1, 2, 3].map((fill) => take(heap, fill, 100_000));
      console.log(taken.map((x) => x[99_999]), kept(heap));
      taken = undefined;
      await collected(() => kept(heap) > 400_000 * 2);
      console.log(kept(heap) <= 2 ** 20);`);
    expect({ status, stdout }).toEqual({ status: 0, stdout: '[ 1, 2, 3 ] 0\ntrue\n' });
  });
});

/** Plain JavaScript with --expose-gc. */
function collecting(script: string) {
  const source = `
    const addon = require(${JSON.stringify(path)});
    const take = (heap, fill, length) => {
      const storage = addon.allocate(heap, 0, length);
      addon.write(heap, storage, new Float32Array(length).fill(fill));
      return new Float32Array(addon.take(heap, storage));
    };
    const kept = (heap) => { const all = new Float64Array(5); addon.statistics(heap, all); return all[1]; };
    const collected = async (is) => { for (let i = 0; i < 100 && !is(); i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 5)); } };
    const turns = async () => { for (let i = 0; i < 3; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 5)); } };
    (async () => { ${script} })();`;
  return spawnSync(process.execPath, ['--expose-gc', '-'], { input: source, encoding: 'utf8', timeout: 60_000 });
}

describe.skipIf(available !== true)(`what was taken from native and is garbage`, () => {
  it('comes back, to be used again', () => {
    const { status, stdout } = collecting(`
      const heap = addon.createHeap(2 ** 30, 2 ** 30, 1);
      let taken = take(heap, 1, 1 << 20);
      await collected(() => kept(heap) > 0);
      console.log(kept(heap), taken[5]);
      taken = undefined;
      await collected(() => kept(heap) > 0);
      console.log(kept(heap));
      const again = take(heap, 2, 1 << 20);
      console.log(kept(heap), again[5]);`);
    expect({ status, stdout }).toEqual({ status: 0, stdout: `0 1\n${4 << 20}\n0 2\n` });
  });

  it('is freed when it was not needed for a while', () => {
    const { status, stdout } = collecting(`
      const heap = addon.createHeap(2 ** 30, 2 ** 30, 1);
      const bytes = 4 << 16;
      let taken = Array.from({ length: 9 }, () => take(heap, 1, 1 << 16));
      taken = undefined;
      await collected(() => kept(heap) === 9 * bytes);
      console.log(kept(heap) / bytes);
      for (let i = 0; i < 120; i++) {
        take(heap, 1, 1 << 16);
        if (i % 3 === 2) await turns();
      }
      console.log(kept(heap) / bytes < 6);`);
    expect({ status, stdout }).toEqual({ status: 0, stdout: '9\ntrue\n' });
  });

  it('is freed where its backend is gone', () => {
    const { status, stdout } = collecting(`
      const size = 1 << 22;
      for (let i = 0; i < 60; i++) {
        const heap = addon.createHeap(2 ** 30, 2 ** 30, 1);
        take(heap, i, size);
        addon.destroyHeap(heap);
        if (i % 10 === 9) await turns();
      }
      console.log(process.memoryUsage.rss() < 60 * 4 * size / 2);`);
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'true\n' });
  });

  it('is let go when its worker ends, and when the process does', () => {
    const { status, stdout } = collecting(`
      const { Worker } = require('node:worker_threads');
      const worker = \`
        const addon = require(${JSON.stringify(path)});
        const heap = addon.createHeap(2 ** 30, 2 ** 30, 1);
        globalThis.taken = [1, 2, 3].map(() => addon.take(heap, addon.allocate(heap, 0, 1 << 20)));
        const { parentPort, workerData } = require('node:worker_threads');
        if (workerData % 2) addon.destroyHeap(heap);
        parentPort.postMessage(taken.length);
        setInterval(() => {}, 1000);\`;
      for (let i = 0; i < 4; i++) {
        const one = new Worker(worker, { eval: true, workerData: i });
        const length = await new Promise((resolve, reject) => one.once('message', resolve).once('error', reject));
        await one.terminate();
        if (length !== 3) console.log('lost');
      }
      globalThis.taken = take(addon.createHeap(2 ** 30, 2 ** 30, 1), 1, 1 << 20);
      console.log('ended');`);
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'ended\n' });
  });

  it('does not pile up: memory stays a few times what a step gives', () => {
    const { status, stdout } = collecting(`
      const heap = addon.createHeap(2 ** 34, 2 ** 34, 1);
      const bytes = 32 << 20;
      const before = process.memoryUsage.rss();
      let most = 0;
      for (let i = 0; i < 300; i++) {
        addon.take(heap, addon.allocate(heap, 0, bytes / 4));
        await new Promise(setImmediate);
        most = Math.max(most, kept(heap));
      }
      console.log(most < 12 * bytes, process.memoryUsage.rss() - before < 12 * bytes);`);
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'true true\n' });
  });
});

describe.skipIf(available !== true)('take of the addon, misused', () => {
  const codeOf = (action: () => unknown): unknown => {
    try {
      return action();
    } catch (error) {
      return (error as { code?: unknown }).code ?? (error as Error).name;
    }
  };

  it('refuses what was taken, released or is another heap’s, and leaves empty storage', () => {
    const addon = loadAddon('test');
    const [one, two] = [addon.createHeap(1 << 20, 1 << 20, 1), addon.createHeap(1 << 20, 1 << 20, 1)];
    const storage = addon.allocate(one, 0, 100);
    expect(codeOf(() => addon.take(two, storage))).toBe('GRADPACK-MIXED-BACKENDS');
    expect((addon.take(one, storage) as ArrayBuffer).byteLength).toBe(400);
    for (const use of [addon.take, addon.view, addon.release] as ((heap: number, storage: number) => unknown)[])
      expect(codeOf(() => use(one, storage))).toBe('GRADPACK-DISPOSED');
    const empty = addon.allocate(one, 0, 0);
    expect(addon.take(one, empty)).toBeUndefined();
    addon.release(one, empty);
    for (const heap of [one, two]) addon.destroyHeap(heap);
  });
});
