import { compileExpression, expression, GradPackError, type Program } from '@gradpack/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Addon, INTERFACE_VERSION } from '../src/addon-interface.js';
import { encodeProgram, KERNELS } from '../src/encode.js';
import { isNativeAvailable, type NativeBackend, native } from '../src/index.js';
import { loadAddon } from '../src/loader.js';

const available = isNativeAvailable();

/** y = 2x, over `length` numbers; `reach` lets the call touch more than there is. */
function twice(length: number, reach = length): Program {
  const buffer = { dtype: 'float32', length, first: 0, last: 0 } as const;
  return {
    buffers: [
      { ...buffer, role: 'input' },
      { ...buffer, role: 'result' },
    ],
    slots: [],
    calls: [
      {
        kernel: 'map',
        reads: [{ buffer: 0, offset: 0 }],
        writes: [{ buffer: 1, offset: 0 }],
        spec: {
          shape: [reach],
          inputs: [{ strides: [1], dtype: 'float32' }],
          to: [1],
          expression: compileExpression(expression.mul(2, expression.input(0))),
          accumulate: false,
        },
      },
    ],
    bytes: { scratch: 0, kept: 0, results: 4 * length },
  };
}

function codeOf(action: () => unknown): unknown {
  try {
    action();
    return 'nothing was thrown';
  } catch (error) {
    return error instanceof GradPackError || (error instanceof Error && 'code' in error)
      ? error.code
      : error instanceof TypeError
        ? 'TypeError'
        : error;
  }
}

/** The words of a program that is one `outer` call, reading and writing buffers of 64 numbers. */
const outerOf = (call: readonly number[]): Float64Array =>
  Float64Array.of(0, 0, 2, 0, 64, -1, 0, 64, -1, 1, KERNELS.indexOf('outer'), call.length, ...call);

/** The words of a dense factor whose strides are all 0. */
const dense = ({ V = 1, N = 1, G = 1, T = 1 }): readonly number[] => [0, 0, V, N, G, 1, T, 0, 0, 0, 0, 0];

describe.skipIf(available !== true)(`native backend, misused${available === true ? '' : `: ${available}`}`, () => {
  let backend: NativeBackend;
  beforeAll(async () => {
    backend = await native({ threads: 2 });
  });
  afterAll(() => backend.dispose());

  it('refuses storage that was released, released twice, or is another backend’s', async () => {
    const storage = backend.allocate('float32', 4);
    backend.release(storage);
    expect(codeOf(() => backend.release(storage))).toBe('GRADPACK-DISPOSED');
    expect(codeOf(() => backend.write(storage, [1]))).toBe('GRADPACK-DISPOSED');
    await expect(backend.read([{ storage, offset: 0, length: 1 }])).rejects.toMatchObject({
      code: 'GRADPACK-DISPOSED',
    });
    const other = await native();
    expect(codeOf(() => backend.release(other.allocate('int32', 1)))).toBe('GRADPACK-MIXED-BACKENDS');
    expect(codeOf(() => backend.write({ dtype: 'float32', length: 4 }, [1]))).toBe('GRADPACK-MIXED-BACKENDS');
    await other.dispose();
    expect(backend.memory().live).toBe(0);
  });

  it('refuses programs that reach outside their buffers, before they run', () => {
    const { plans, live } = backend.memory();
    expect(() => backend.prepare(twice(4, 5))).toThrow(
      /call 0 \(map\): reads\[0\] touches elements 0 to 4 of buffer 0, which has 4/,
    );
    const broken = twice(4);
    expect(codeOf(() => backend.prepare({ ...broken, buffers: broken.buffers.slice(0, 1) }))).toBe('GRADPACK-INTERNAL');
    expect(
      codeOf(() =>
        backend.prepare({ ...broken, buffers: broken.buffers.map((b) => ({ ...b, dtype: 'float64' as const })) }),
      ),
    ).toBe('GRADPACK-INTERNAL');
    expect(backend.memory()).toMatchObject({ plans, live });
  });

  it('refuses bindings that are missing, too short or of another type, and stays usable', async () => {
    const prepared = backend.prepare(twice(4));
    const [x, y, short, ids] = [
      backend.allocate('float32', 4),
      backend.allocate('float32', 4),
      backend.allocate('float32', 3),
      backend.allocate('int32', 4),
    ];
    for (const bindings of [[x], [short, y], [ids, y]])
      await expect(backend.run(prepared, bindings)).rejects.toMatchObject({ code: 'GRADPACK-INTERNAL' });
    backend.write(x, [1, 2, 3, 4]);
    await backend.run(prepared, [x, y]);
    expect(await backend.read([{ storage: y, offset: 0, length: 4 }])).toEqual([Float32Array.of(2, 4, 6, 8)]);
    for (const storage of [x, y, short, ids]) backend.release(storage);
    prepared.dispose();
    expect(backend.memory().live).toBe(0);
  });

  it('names bytes and limits where there is no memory, and stays usable', () => {
    expect(() => backend.allocate('float32', 2 ** 44)).toThrow(
      /GRADPACK-OUT-OF-MEMORY: storage of 70368744177664 bytes: more than is allowed/,
    );
    expect(codeOf(() => backend.allocate('float32', -1))).toBe('GRADPACK-INTERNAL');
    expect(codeOf(() => backend.allocate('float32', 0.5))).toBe('GRADPACK-INTERNAL');
    backend.release(backend.allocate('float32', 10));
    expect(backend.memory().live).toBe(0);
  });

  it('detaches a view on release', () => {
    const storage = backend.allocate('float32', 4);
    backend.write(storage, [1, 2, 3, 4]);
    const view = backend.view?.({ storage, offset: 1, length: 2 });
    expect(view).toEqual(Float32Array.of(2, 3));
    backend.write(storage, [5, 6]);
    expect(view?.[0]).toBe(6);
    backend.release(storage);
    expect(view?.length).toBe(0);
  });

  it('says so where options make no sense', async () => {
    await expect(native({ threads: 0 })).rejects.toMatchObject({ code: 'GRADPACK-OPTION' });
    await expect(native({ memory: -1 })).rejects.toMatchObject({ code: 'GRADPACK-OPTION' });
    await expect(native({ precision: 'int32' as never })).rejects.toMatchObject({ code: 'GRADPACK-OPTION' });
    await expect(native({ device: 'cuda' as never })).rejects.toMatchObject({ code: 'GRADPACK-OPTION' });
  });

  it('measures its kernels', async () => {
    const before = backend.kernelSeconds();
    const prepared = backend.prepare(twice(1000));
    const [x, y] = [backend.allocate('float32', 1000), backend.allocate('float32', 1000)];
    backend.write(x, new Float32Array(1000));
    await backend.run(prepared, [x, y]);
    expect(backend.kernelSeconds()).toBeGreaterThan(before);
    backend.release(x);
    backend.release(y);
    prepared.dispose();
  });
});

describe.skipIf(available !== true)(
  `native addon, called with anything${available === true ? '' : `: ${available}`}`,
  () => {
    let addon: Addon;
    beforeAll(() => {
      addon = loadAddon('test');
    });

    it('has the interface of this package', () => expect(addon.interfaceVersion).toBe(INTERFACE_VERSION));

    it('refuses wrong arguments of every function', () => {
      const heap = addon.createHeap(1 << 20, 1 << 20, 1);
      const anything = [
        undefined,
        null,
        Number.NaN,
        -1,
        1e300,
        0.5,
        'x',
        {},
        [],
        () => 0,
        Symbol('x'),
        1n,
        new Uint8Array(3),
        new Float32Array(2),
        new Float64Array(2),
        new ArrayBuffer(8),
        heap,
      ];
      const functions = Object.entries(addon).flatMap(([name, f]) =>
        typeof f === 'function' && !['createHeap', 'destroyHeap', 'stopAll', 'stop', 'progress'].includes(name)
          ? [f as (...args: unknown[]) => unknown]
          : [],
      );
      expect(functions.length).toBe(15);
      for (const f of functions)
        for (const a of [heap, ...anything])
          for (const b of anything)
            for (const c of anything) {
              // what happens to be right (an empty allocation) may succeed; nothing may crash
              const code = codeOf(() => f(a, b, c, c));
              expect([
                'nothing was thrown',
                'TypeError',
                'GRADPACK-INTERNAL',
                'GRADPACK-DISPOSED',
                'GRADPACK-MIXED-BACKENDS',
                'GRADPACK-OUT-OF-MEMORY',
              ]).toContain(code);
            }
      addon.destroyHeap(heap);
      expect(codeOf(() => addon.allocate(heap, 0, 1))).toBe('GRADPACK-DISPOSED');
    });

    it('refuses handles that were freed or belong to another heap', () => {
      const [one, two] = [addon.createHeap(1 << 20, 0, 1), addon.createHeap(1 << 20, 0, 1)];
      const storage = addon.allocate(one, 0, 8);
      expect(codeOf(() => addon.release(two, storage))).toBe('GRADPACK-MIXED-BACKENDS');
      addon.release(one, storage);
      expect(codeOf(() => addon.release(one, storage))).toBe('GRADPACK-DISPOSED');
      const next = addon.allocate(one, 0, 8);
      expect(next).not.toBe(storage);
      expect(codeOf(() => addon.read(one, storage, 0, new Float32Array(1)))).toBe('GRADPACK-DISPOSED');
      expect(codeOf(() => addon.read(one, next, 0, new Float32Array(9)))).toBe('TypeError');
      expect(codeOf(() => addon.read(one, next, 0, new Int32Array(1)))).toBe('TypeError');
      for (const heap of [one, two]) addon.destroyHeap(heap);
    });

    it.each([Number.NaN, 0.5, -1, 1e300, Number.POSITIVE_INFINITY])('refuses %d as the number of a heap', (number) => {
      const heap = addon.createHeap(1 << 20, 0, 1);
      const storage = addon.allocate(heap, 0, 4);
      const calls = [
        () => addon.allocate(number, 0, 4),
        () => addon.destroyHeap(number),
        () => addon.stop(number),
        () => addon.progress(number),
        () => addon.release(number, storage),
      ];
      for (const call of calls) expect(codeOf(call)).toBe('GRADPACK-DISPOSED');
      addon.release(heap, storage);
      addon.destroyHeap(heap);
    });

    it('refuses arrays whose memory is gone and takes shared memory', () => {
      const heap = addon.createHeap(1 << 20, 0, 1);
      const storage = addon.allocate(heap, 0, 4);
      const gone = new Float32Array(4);
      structuredClone(gone.buffer, { transfer: [gone.buffer] });
      addon.write(heap, storage, gone); // no numbers any more
      addon.read(heap, storage, 0, gone);
      const noWords = new Float64Array(4);
      structuredClone(noWords.buffer, { transfer: [noWords.buffer] });
      expect(codeOf(() => addon.prepare(heap, noWords))).toBe('GRADPACK-INTERNAL');
      const program = addon.prepare(heap, encodeProgram(twice(4), 'float32'));
      expect(codeOf(() => addon.run(heap, program, noWords))).toBe('GRADPACK-INTERNAL');
      expect(codeOf(() => addon.detach(gone.buffer))).toMatch(/^(TypeError|nothing was thrown)$/);

      const shared = new Float32Array(new SharedArrayBuffer(16));
      shared.set([1, 2, 3, 4]);
      addon.write(heap, storage, shared as never);
      const back = new Float32Array(new SharedArrayBuffer(8));
      addon.read(heap, storage, 2, back as never);
      expect([...back]).toEqual([3, 4]);
      expect(codeOf(() => addon.detach(shared.buffer as never))).toBe('TypeError');
      addon.destroyHeap(heap);
    });

    it('says so where there is no memory: by its limit and by the system’s', () => {
      const limited = addon.createHeap(4096, 4096, 1);
      const first = addon.allocate(limited, 0, 512);
      expect(codeOf(() => addon.allocate(limited, 0, 513))).toBe('GRADPACK-OUT-OF-MEMORY');
      const words = encodeProgram({ ...twice(16), slots: [{ dtype: 'float32', length: 4096 }] }, 'float32');
      const program = addon.prepare(limited, words); // its scratch memory is taken as it runs
      expect(codeOf(() => addon.run(limited, program, Float64Array.of(first, first)))).toBe('GRADPACK-OUT-OF-MEMORY');
      addon.release(limited, first);
      const two = Float64Array.of(addon.allocate(limited, 0, 4), addon.allocate(limited, 0, 4));
      addon.run(limited, addon.prepare(limited, encodeProgram(twice(4), 'float32')), two);
      addon.destroyHeap(limited);

      const unlimited = addon.createHeap(2 ** 48, 0, 1);
      expect(codeOf(() => addon.allocate(unlimited, 1, 2 ** 45 - 1))).toBe('GRADPACK-OUT-OF-MEMORY');
      addon.release(unlimited, addon.allocate(unlimited, 1, 10));
      addon.destroyHeap(unlimited);
    });

    it.each([
      ['on the calling thread', 1],
      ['on all threads', 4],
    ])('ends a run for which a kernel finds no working memory %s, and stays usable', async (_, N) => {
      const heap = addon.createHeap(1 << 24, 0, 2);
      // 2⁴² steps that all read one number; a term of another kind makes G be written out
      const factor = dense({ N, T: 2 ** 42 });
      const terms = [0, ...factor, ...factor, 1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 1, N, 1, 1, 1, 0, 0, 0, 0, 0];
      const call = [1, 0, 0, 1, 1, 0, N, 1, 2, ...terms, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
      const program = addon.prepare(heap, outerOf(call));
      const [x, y] = [addon.allocate(heap, 0, 64), addon.allocate(heap, 0, 64)];
      const handles = Float64Array.of(x, y);
      expect(codeOf(() => addon.run(heap, program, handles))).toBe('GRADPACK-OUT-OF-MEMORY');
      await expect(addon.runAsync(heap, program, handles)).rejects.toMatchObject({ code: 'GRADPACK-OUT-OF-MEMORY' });
      addon.write(heap, x, new Float32Array(64).fill(3));
      addon.run(heap, addon.prepare(heap, encodeProgram(twice(64), 'float32')), handles);
      const doubled = new Float32Array(64);
      addon.read(heap, y, 0, doubled);
      expect(doubled).toEqual(new Float32Array(64).fill(6));
      addon.destroyHeap(heap);
    });

    it('refuses what would pull memory from under a run that goes on', async () => {
      const heap = addon.createHeap(2 ** 28, 0, 2);
      const length = 1 << 20;
      const storages = [0, 1].map(() => addon.allocate(heap, 0, length)) as [number, number];
      const calls = Array.from({ length: 40 }, () => twice(length).calls).flat();
      const program = addon.prepare(heap, encodeProgram({ ...twice(length), calls }, 'float32'));
      const running = addon.runAsync(heap, program, Float64Array.from(storages));
      expect(codeOf(() => addon.release(heap, storages[0]))).toBe('GRADPACK-INTERNAL');
      expect(codeOf(() => addon.run(heap, program, Float64Array.from(storages)))).toBe('GRADPACK-INTERNAL');
      expect(codeOf(() => addon.runAsync(heap, program, Float64Array.from(storages)))).toBe('GRADPACK-INTERNAL');
      expect(codeOf(() => addon.destroyHeap(heap))).toBe('GRADPACK-INTERNAL');
      addon.dispose(heap, program); // the run keeps it
      expect(await running).toBeGreaterThan(0);
      addon.release(heap, storages[0]);
      addon.destroyHeap(heap);
    });

    it('refuses malformed words or runs them harmlessly', () => {
      const heap = addon.createHeap(1 << 24, 0, 1);
      const words = encodeProgram(twice(16), 'float32');
      const handles = Float64Array.of(addon.allocate(heap, 0, 16), addon.allocate(heap, 0, 16));
      const values = [
        -1,
        0,
        1,
        2,
        3,
        17,
        2 ** 31,
        2 ** 47,
        2 ** 53,
        -(2 ** 40),
        0.5,
        Number.NaN,
        Number.POSITIVE_INFINITY,
      ];
      const attempt = (changed: Float64Array): void => {
        try {
          const program = addon.prepare(heap, changed);
          addon.run(heap, program, handles);
        } catch (error) {
          expect((error as { code?: string }).code).toMatch(/^GRADPACK-(INTERNAL|OUT-OF-MEMORY)$/);
        }
      };
      for (let length = 0; length < words.length; length++)
        expect(codeOf(() => addon.prepare(heap, words.slice(0, length)))).toBe('GRADPACK-INTERNAL');
      for (let at = 0; at < words.length; at++)
        for (const value of values) {
          const changed = words.slice();
          changed[at] = value;
          attempt(changed);
        }
      addon.run(heap, addon.prepare(heap, words), handles);
      addon.destroyHeap(heap);
    });

    // strides of 0 let every count be claimed on buffers of 64 numbers; each once overflowed a size
    interface Counts {
      readonly N?: number;
      readonly G?: number;
      readonly T?: number;
      readonly factorV?: number;
      readonly columns?: number;
      readonly form?: number;
    }
    it.each<[string, Counts]>([
      ['steps and columns', { T: 2 ** 46, factorV: 2, columns: 2 ** 18 }],
      ['columns and samples', { N: 2 ** 32, columns: 2 ** 32 }],
      ['columns of norms', { N: 2 ** 44, T: 1, columns: 2 ** 20, form: 2 }],
      ['columns alone', { columns: 2 ** 26 }],
      ['groups', { G: 2 ** 40, form: 2 }],
    ])('refuses outer products of too many %s', (_, { N = 1, G = 1, T = 2, factorV = 1, columns = 1, form = 0 }) => {
      const heap = addon.createHeap(1 << 24, 0, 1);
      const a = dense({ N, G, T });
      const u = dense({ V: factorV, N, G, T });
      const view = [G, 1, 1, 1, 0, 0, 0, 0];
      const request = [form, 0, columns, 0, 0, 0, 0, 0, 0, 0];
      const call = [1, 0, 0, 1, 1, 0, N, 1, 1, 0, ...a, ...u, ...view, 1, ...request];
      expect(codeOf(() => addon.prepare(heap, outerOf(call)))).toBe('GRADPACK-INTERNAL');
      addon.destroyHeap(heap);
    });

    // without requests there are no columns, which once divided by zero
    it.each([
      ['', 1],
      [' of long samples', 2000],
    ])('does nothing for outer products%s that nobody asks for', (_, T) => {
      const heap = addon.createHeap(1 << 24, 0, 1);
      const a = dense({ T });
      const u = dense({ V: 2, T });
      const call = [1, 0, 0, 1, 1, 0, 1, 1, 1, 0, ...a, ...u, 1, 1, 1, 1, 0, 0, 0, 0, 0];
      const program = addon.prepare(heap, outerOf(call));
      addon.run(heap, program, Float64Array.of(addon.allocate(heap, 0, 64), addon.allocate(heap, 0, 64)));
      addon.destroyHeap(heap);
    });
  },
);
