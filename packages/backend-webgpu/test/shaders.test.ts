import { compileExpression, expression as e } from '@gradpack/core';
import { afterAll, describe, expect, test } from 'vitest';
import { DeviceBackend } from '../src/device/device-backend.js';
import { pipelines } from '../src/device/pipelines.js';
import { lowerProgram } from '../src/lowering/lower-program.js';
import { hasAdapter } from './adapter.js';
import { programOf, runProgram } from './program.js';

const limits = { storageBuffers: 8, bindingBytes: 2 ** 27, alignment: 256 };
const at = (buffer: number, offset = 0) => ({ buffer, offset });
const ones = (length: number): number[] => new Array<number>(length).fill(1);
const add = (a: number, b: number): number => a + b;

describe('lowering', () => {
  test('a map is one short shader, its numbers parameters', () => {
    const expression = compileExpression(e.max(e.mul(e.input(0), 0.5), e.input(0)));
    const map = {
      kernel: 'map',
      reads: [at(0, 3)],
      writes: [at(1)],
      spec: {
        shape: [2, 4],
        inputs: [{ strides: [4, 1], dtype: 'float32' }],
        to: [4, 1],
        expression,
        accumulate: false,
      },
    } as const;
    const [dispatch] = lowerProgram(programOf([{ values: ones(11) }, { values: ones(8) }], [map]), limits).dispatches;
    expect(dispatch?.shader.code).toMatchInlineSnapshot(`
      "struct Parameters { x0_i0: i32, constant1: f32, y_i0: i32, at_x0: i32, at_y: i32, count: i32 }
      @group(0) @binding(0) var<uniform> p: Parameters;
      @group(0) @binding(1) var<storage, read> b_x0: array<f32>;
      @group(0) @binding(2) var<storage, read_write> b_y: array<f32>;
      fn x0_at(j: i32) -> f32 { return b_x0[j]; }
      fn x0(i: i32) -> f32 { return x0_at(p.at_x0 + i); }
      fn put_y(i: i32, value: f32) { b_y[p.at_y + i] = value; }
      fn now_y(i: i32) -> f32 { return b_y[p.at_y + i]; }
      fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
      fn rank(x: f32) -> i32 { let b = bitcast<i32>(x); return select(b, -(b & 0x7fffffff), b < 0); }
      fn greatest(a: f32, b: f32) -> f32 { return select(b, a, is_nan(a) || (!is_nan(b) && rank(a) >= rank(b))); }
      @compute @workgroup_size(64)
      fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let i = i32(id.x + id.y * groups.x * 64u);
      if (i >= p.count) { return; }
      let i0 = i;
      let e0 = x0(i0 * p.x0_i0);
      let e1 = p.constant1;
      let e2 = e0 * e1;
      let e3 = greatest(e2, e0);
      put_y(i0 * p.y_i0, e3);
      }"
    `);
    expect([...new Int32Array(dispatch?.parameters ?? new ArrayBuffer(0))]).toMatchInlineSnapshot(`
      [
        1,
        1056964608,
        1,
        3,
        0,
        8,
      ]
    `);
  });

  test('calls that differ in their numbers share a shader', () => {
    const gemm = (M: number, alpha: number) =>
      ({
        kernel: 'gemm',
        reads: [at(0), at(1)],
        writes: [at(2)],
        spec: {
          batch: 1,
          M,
          N: 2,
          K: 3,
          a: { b: 0, m: 3, k: 1 },
          b: { b: 0, k: 2, n: 1 },
          c: { b: 0, m: 2, n: 1 },
          alpha,
          accumulate: false,
        },
      }) as const;
    const { dispatches } = lowerProgram(
      programOf([{ values: ones(12) }, { values: ones(6) }, { values: ones(8) }], [gemm(2, 1), gemm(4, 0.5)]),
      limits,
    );
    expect(new Set(dispatches.map((d) => d.shader.code)).size).toBe(1);
  });
});

const device = (await hasAdapter()) ? await (await navigator.gpu.requestAdapter())?.requestDevice() : undefined;

afterAll(() => device?.destroy());

describe.skipIf(!device)('on small devices', () => {
  const small = (options: { readonly bindingBytes?: number; readonly storageBuffers?: number }): DeviceBackend =>
    new DeviceBackend({ device: device as GPUDevice, owned: false, ...options });

  test('more inputs than bindings', async () => {
    const backend = small({ storageBuffers: 4 });
    const inputs = [0, 1, 2, 3, 4, 5];
    const expression = compileExpression(inputs.map((i) => e.mul(e.input(i), 10 ** i)).reduce((a, b) => e.add(a, b)));
    const spec = {
      shape: [2],
      inputs: inputs.map((i) => ({ strides: [1], dtype: i === 3 ? ('int32' as const) : ('float32' as const) })),
      to: [1],
      expression,
      accumulate: false,
    };
    const buffers = [
      ...inputs.map((i) => ({ values: [9, i, i + 1], dtype: i === 3 ? ('int32' as const) : ('float32' as const) })),
      { values: [0, 0] },
    ];
    const read = await runProgram(backend, buffers, [
      { kernel: 'map', spec, reads: inputs.map((i) => at(i, 1)), writes: [at(6)] },
    ]);
    expect([...(read[6] ?? [])]).toEqual([543210, 654321]);
    await backend.dispose();
  });

  test('one buffer behind more inputs than bindings', async () => {
    const backend = small({ storageBuffers: 3 });
    const inputs = [0, 1, 2, 3];
    const expression = compileExpression(inputs.map((i) => e.mul(e.input(i), 10 ** i)).reduce((a, b) => e.add(a, b)));
    const spec = {
      shape: [1],
      inputs: inputs.map(() => ({ strides: [1], dtype: 'float32' as const })),
      to: [1],
      expression,
      accumulate: false,
    };
    const read = await runProgram(
      backend,
      [{ values: [1, 2, 3, 4] }, { values: [0] }],
      [{ kernel: 'map', spec, reads: inputs.map((i) => at(0, i)), writes: [at(1)] }],
    );
    expect([...(read[1] ?? [])]).toEqual([4321]);
    await backend.dispose();
  });

  test('fill, copy and map of tensors larger than a binding', async () => {
    const backend = small({ bindingBytes: 1024 });
    const length = 1000;
    const ramp = Array.from({ length }, (_, i) => i);
    const transpose = { dtype: 'float32', shape: [10, 100], from: [100, 1], to: [100, 1], accumulate: true } as const;
    const expression = compileExpression(e.add(e.input(0), e.coordinate(0)));
    const read = await runProgram(
      backend,
      [{ values: ramp }, { values: ones(length) }, { values: ones(length) }, { values: ones(length) }],
      [
        { kernel: 'fill', reads: [], writes: [at(1, 1)], spec: { length: length - 2, value: 7 } },
        { kernel: 'copy', reads: [at(0)], writes: [at(2)], spec: transpose },
        {
          kernel: 'map',
          reads: [at(0)],
          writes: [at(3)],
          spec: {
            shape: [50, 20],
            inputs: [{ strides: [20, 1], dtype: 'float32' }],
            to: [20, 1],
            expression,
            accumulate: false,
          },
        },
      ],
    );
    expect([...(read[1] ?? [])]).toEqual([1, ...new Array<number>(length - 2).fill(7), 1]);
    expect([...(read[2] ?? [])]).toEqual(ramp.map((x) => x + 1));
    expect([...(read[3] ?? [])]).toEqual(ramp.map((x) => x + Math.floor(x / 20)));
    await backend.dispose();
  });

  test('per-sample results larger than a binding', async () => {
    const backend = small({ bindingBytes: 1024 });
    const [N, O, I] = [20, 5, 7];
    const factor = (read: number, F: number) =>
      ({ form: 'dense', read, V: 1, N, G: 1, F, T: 1, strides: { v: 0, n: F, g: 0, f: 1, t: 1 } }) as const;
    const view = { G: 1, O, C: I, K: 1, strides: { g: O * I, o: I, c: 1, k: 1 } };
    const a = Array.from({ length: N * O }, (_, i) => i % 11);
    const u = Array.from({ length: N * I }, (_, i) => i % 5);
    const request = { form: 'plain', from: 0, to: 1, into: 0, strides: { v: 0, n: O * I }, accumulate: false } as const;
    const read = await runProgram(
      backend,
      [{ values: a }, { values: u }, { values: ones(N * O * I) }],
      [
        {
          kernel: 'outer',
          reads: [at(0), at(1)],
          writes: [at(2)],
          spec: {
            N,
            size: O * I,
            terms: [{ kind: 'matrix', a: factor(0, O), u: factor(1, I), view }],
            requests: [request],
          },
        },
      ],
    );
    expect([...(read[2] ?? [])]).toEqual(
      Array.from(
        { length: N * O * I },
        (_, at) => (a[Math.floor(at / I)] ?? 0) * (u[Math.floor(at / (O * I)) * I + (at % I)] ?? 0),
      ),
    );
    await backend.dispose();
  });

  test('weighted results per column larger than a binding', async () => {
    const backend = small({ bindingBytes: 1024 });
    const [V, N, size] = [10, 3, 35];
    const given = Array.from({ length: N * size }, (_, i) => i % 7);
    const weight = Array.from({ length: V * N }, (_, i) => (i % 4) - 1);
    const a = {
      form: 'dense',
      read: 0,
      V: 1,
      N,
      G: 1,
      F: size,
      T: 1,
      strides: { v: 0, n: size, g: 0, f: 1, t: 0 },
    } as const;
    const one = {
      form: 'dense',
      read: 2,
      V,
      N,
      G: 1,
      F: size,
      T: 1,
      strides: { v: 0, n: 0, g: 0, f: 0, t: 0 },
    } as const;
    const request = {
      form: 'square',
      from: 0,
      to: V,
      weight: 1,
      into: 0,
      strides: { v: size, n: 0 },
      accumulate: true,
    } as const;
    const read = await runProgram(
      backend,
      [{ values: given }, { values: weight }, { values: [2] }, { values: ones(V * size) }],
      [
        {
          kernel: 'outer',
          reads: [at(0), at(1), at(2)],
          writes: [at(3)],
          spec: { N, size, terms: [{ kind: 'scale', a, u: one }], requests: [request] },
        },
      ],
    );
    const expected = Array.from({ length: V * size }, (_, i) =>
      [0, 1, 2].reduce(
        (sum, n) => sum + (weight[Math.floor(i / size) * N + n] ?? 0) * (2 * (given[n * size + (i % size)] ?? 0)) ** 2,
        1,
      ),
    );
    expect([...(read[3] ?? [])]).toEqual(expected);
    await backend.dispose();
  });

  test('a NaN stays in the variance', async () => {
    const backend = small({});
    const a = {
      form: 'dense',
      read: 0,
      V: 1,
      N: 2,
      G: 1,
      F: 2,
      T: 1,
      strides: { v: 0, n: 2, g: 0, f: 1, t: 0 },
    } as const;
    const request = { form: 'centred', from: 0, to: 1, into: 0, strides: { v: 0, n: 0 }, accumulate: false } as const;
    const spec = { N: 2, size: 2, terms: [{ kind: 'shift', a }], requests: [request] } as const;
    const read = await runProgram(
      backend,
      [{ values: [NaN, 1, 2, 3] }, { values: [0, 0] }],
      [{ kernel: 'outer', reads: [at(0)], writes: [at(1)], spec }],
    );
    expect([...(read[1] ?? [])]).toEqual([NaN, 1]);
    await backend.dispose();
  });

  test('a kernel that cannot be cut says so before it runs', async () => {
    const backend = small({ bindingBytes: 1024 });
    const sum = {
      kept: [1],
      reduced: [1000],
      inputs: [{ strides: [0, 1], dtype: 'float32' }],
      operation: 'sum',
      expression: compileExpression(e.input(0)),
      scale: 1,
      accumulate: false,
    } as const;
    expect(() =>
      backend.prepare(
        programOf(
          [{ values: ones(1000) }, { values: [0] }],
          [{ kernel: 'reduce', reads: [at(0)], writes: [at(1)], spec: sum }],
        ),
      ),
    ).toThrow(
      'GRADPACK-OUT-OF-MEMORY: a tensor is larger than this device binds to a kernel\n  where: webgpu prepare\n  expected: at most 1024 bytes (maxStorageBufferBindingSize)\n  got: 4000 bytes\n  fix: use a smaller batch or a smaller memoryLimit, or a backend without this limit (native, cpu)',
    );
    expect(backend.memory()).toEqual({ live: 0, pooled: 0, plans: 0 });
    await backend.dispose();
  });

  test('a shader that does not compile comes with its text', async () => {
    const code = 'fn main() { nonsense }';
    const error = await pipelines(device as GPUDevice)
      .of({ code, access: [] }, 'broken')
      .compiled.then(
        () => undefined,
        (failure: unknown) => failure,
      );
    expect(error).toMatchObject({ code: 'GRADPACK-INTERNAL', where: 'webgpu kernel broken', detail: { wgsl: code } });
  });

  test('long sums stay exact to float32', async () => {
    const backend = small({});
    const values = Array.from({ length: 100_000 }, (_, i) => Math.fround(Math.sin(i) + 1));
    const sum = {
      kept: [1],
      reduced: [100_000],
      inputs: [{ strides: [0, 1], dtype: 'float32' }],
      operation: 'sum',
      expression: compileExpression(e.input(0)),
      scale: 1,
      accumulate: false,
    } as const;
    const read = await runProgram(
      backend,
      [{ values }, { values: [0] }],
      [{ kernel: 'reduce', reads: [at(0)], writes: [at(1)], spec: sum }],
    );
    const exact = values.reduce(add, 0);
    expect(Math.abs((read[1]?.[0] ?? 0) - exact) / exact).toBeLessThan(2e-7);
    await backend.dispose();
  });
});
