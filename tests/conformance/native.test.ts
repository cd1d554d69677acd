import { cpu } from '@gradpack/backend-cpu';
import { isNativeAvailable, type NativeBackend, native } from '@gradpack/backend-native';
import {
  type Backend,
  compileExpression,
  expression,
  type FactorSpec,
  type Operand,
  type OuterRequest,
  type Program,
  type Storage,
  type TypedArray,
  type Window,
} from '@gradpack/core';
import {
  backendBehaviour,
  type ConformanceCase,
  conformanceCases,
  programIn,
  recordCase,
  runCase,
  worstError,
} from '@gradpack/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const available = isNativeAvailable();

describe.skipIf(available !== true)(`native conformance${available === true ? '' : `: ${available}`}`, () => {
  describe.each([
    { precision: 'float32', threads: 1, tolerance: 1e-5 },
    { precision: 'float32', threads: 2, tolerance: 1e-5 },
    { precision: 'float64', threads: 2, tolerance: 1e-12 },
  ] as const)('$precision, $threads threads', ({ precision, threads, tolerance }) => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await native({ precision, threads });
    });
    afterAll(() => backend.dispose());

    it('computes with the instruction set that GRADPACK_ISA names', () => {
      const { isa } = backend as NativeBackend;
      expect(isa).toBe(process.env.GRADPACK_ISA ?? isa);
    });

    it.each(conformanceCases(seeded(7), { mapsInPlace: true }))('$name', async (conformanceCase) => {
      const live = backend.memory().live;
      expect(worstError(await runCase(backend, conformanceCase))).toBeLessThan(tolerance);
      expect(backend.memory().live).toBe(live);
    });
  });

  describe.each([
    { precision: 'float32', threads: 1, tolerance: 1e-5 },
    { precision: 'float64', threads: 2, tolerance: 1e-12 },
  ] as const)(
    'beyond the sizes of blocks, against cpu float64: $precision, $threads threads',
    ({ precision, threads, tolerance }) => {
      it.each(largeCases(seeded(11)))('$name', async (large) => {
        const [backend, oracle] = [await native({ precision, threads }), cpu({ precision: 'float64' })];
        const [got, expected] = [await results(backend, large), await results(oracle, large)];
        const errors = got.map((numbers, i) => worstError([{ got: numbers, expected: expected[i] as TypedArray }]));
        expect(Math.max(...errors)).toBeLessThan(tolerance);
        await backend.dispose();
      });
    },
  );

  describe.each(['float32', 'float64'] as const)('behaviour in %s', (precision) => {
    it.each(backendBehaviour(() => native({ precision })))('$name', ({ run }) => run());
  });
});

/** Uniform in [0, 1), the same on every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What each bound buffer holds after the run. */
async function results(backend: Backend, { program, data }: ConformanceCase): Promise<readonly TypedArray[]> {
  const own: Program = programIn(program, backend.precision);
  const prepared = backend.prepare(own);
  const bindings = data.map((array, i): Storage | undefined => {
    if (!array) return undefined;
    const storage = backend.allocate(own.buffers[i]!.dtype, array.length);
    backend.write(storage, array);
    return storage;
  });
  await backend.run(prepared, bindings);
  return backend.read(bindings.flatMap((storage) => (storage ? [{ storage, offset: 0, length: storage.length }] : [])));
}

interface OuterExtents {
  readonly V?: number;
  readonly N: number;
  readonly G?: number;
  readonly O: number;
  readonly C: number;
  readonly w?: Window;
  readonly T?: number;
  /** θ is [C, O, K] in each group. */
  readonly transposed?: boolean;
  /** A second term of one column, of the same operands. */
  readonly tied?: boolean;
}

/** An axis of a window that changes nothing. */
const one = { input: 1, kernel: 1, output: 1, stride: 1, dilation: 1, low: 0 };

/** Sizes beyond one block of every loop: steps, columns, rows and chunks of products, runs of lanes, parts of reductions. */
function largeCases(random: () => number): readonly ConformanceCase[] {
  const values = (length: number): Float64Array => Float64Array.from({ length }, () => Math.fround(2 * random() - 1));
  const { add, coordinate, input, mul, sin } = expression;

  const gemm = (
    name: string,
    batch: number,
    M: number,
    N: number,
    K: number,
    b = { b: K * N, k: N, n: 1 },
  ): ConformanceCase => {
    const record = recordCase();
    const spec = {
      batch,
      M,
      N,
      K,
      a: { b: M * K, m: 1, k: M },
      b,
      c: { b: M * N, m: N, n: 1 },
      alpha: 0.5,
      accumulate: true,
    };
    record.call(
      'gemm',
      spec,
      [record.input(values(batch * M * K)), record.input(values(batch * K * N))],
      [record.output(values(batch * M * N))],
    );
    return record.finish(`gemm ${name}`);
  };

  const window = (
    side: number,
    kernel: number,
    { stride = 1, dilation = 1, low = 1, mode = 'zeros' as Window['mode'] } = {},
  ): Window => {
    const output = Math.floor((side + 2 * low - dilation * (kernel - 1) - 1) / stride) + 1;
    return {
      input: [side, side],
      kernel: [kernel, kernel],
      output: [output, output],
      stride: [stride, stride],
      dilation: [dilation, dilation],
      low: [low, low],
      transposed: false,
      mode,
    };
  };
  const convolution = (
    name: string,
    { V = 1, N, G = 1, O, C, w }: { V?: number; N: number; G?: number; O: number; C: number; w: Window },
  ): ConformanceCase => {
    const record = recordCase();
    const [K, S, T] = [w.kernel[0]! * w.kernel[1]!, w.input[0]! * w.input[1]!, w.output[0]! * w.output[1]!];
    const view = { G, O, C, K, strides: { g: O * C * K, o: C * K, c: K, k: 1 } };
    const weight = record.input(values(G * O * C * K));
    const y = record.fresh(V * N * G * O * T, 'kept');
    record.call(
      'convolve',
      { V, N, xPerColumn: false, weightPerColumn: false, view, window: w, accumulate: false },
      [record.input(values(N * G * C * S)), weight],
      [y],
    );
    record.call(
      'convolveTransposed',
      { V, N, xPerColumn: true, weightPerColumn: false, view, window: w, accumulate: false },
      [y, weight],
      [record.fresh(V * N * G * C * S, 'result')],
    );
    return record.finish(`convolution ${name}`);
  };

  /** Any window, groups and columns, both ways and accumulated: every method, with tails of all sizes. */
  const anyConvolution = (index: number): ConformanceCase => {
    const whole = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
    const pick = <T>(...of: readonly T[]): T => of[whole(0, of.length - 1)] as T;
    const transposed = random() < 0.25;
    const mode = transposed ? 'zeros' : pick<Window['mode']>('zeros', 'zeros', 'reflect', 'replicate', 'circular');
    const axes = Array.from({ length: whole(1, 3) }, (_, __, most = pick(3, 6, 14)) => {
      const [input, kernel, stride, dilation] = [whole(1, most), whole(1, 3), whole(1, 3), whole(1, 2)];
      const low = Math.min(whole(0, 2), mode === 'zeros' ? 2 : input - 1);
      const reach = (kernel - 1) * dilation + 1;
      const output = transposed
        ? Math.max(1, (input - 1) * stride - 2 * low + reach)
        : Math.floor((input + 2 * low - reach) / stride) + 1;
      // where the kernel does not fit, one that does
      return output > 0 ? { input, kernel, output, stride, dilation, low } : { ...one, input, output: input };
    });
    const along = (name: keyof typeof one): number[] => axes.map((axis) => axis[name]);
    const size = (name: keyof typeof one): number => along(name).reduce((a, b) => a * b, 1);
    const [V, N, G, O, C, K] = [whole(1, 2), whole(1, 9), pick(1, 1, 2, 5), whole(1, 40), whole(1, 40), size('kernel')];
    const [xs, ys] = [N * G * C * size('input'), N * G * O * size('output')];
    const spec = {
      V,
      N,
      xPerColumn: random() < 0.5,
      weightPerColumn: random() < 0.3,
      accumulate: random() < 0.5,
      view: {
        ...{ G, O, C, K },
        strides: transposed ? { g: C * O * K, o: K, c: O * K, k: 1 } : { g: O * C * K, o: C * K, c: K, k: 1 },
      },
      window: {
        ...{ input: along('input'), kernel: along('kernel'), output: along('output') },
        ...{ stride: along('stride'), dilation: along('dilation'), low: along('low'), transposed, mode },
      },
    };
    const record = recordCase();
    const weight = record.input(values((spec.weightPerColumn ? V : 1) * G * O * C * K));
    const columns = spec.xPerColumn ? V : 1;
    record.call('convolve', spec, [record.input(values(columns * xs)), weight], [record.output(values(V * ys))]);
    record.call(
      'convolveTransposed',
      spec,
      [record.input(values(columns * ys)), weight],
      [record.output(values(V * xs))],
    );
    return record.finish(
      `convolution ${index}: ${mode}${transposed ? ' transposed' : ''} ${along('input')} by ${along('kernel')}, stride ${along('stride')}, V ${V}, N ${N}, G ${G}, ${C} to ${O}`,
    );
  };

  const outer = (
    name: string,
    { V = 1, N, G = 1, O, C, w, T = 1, transposed = false, tied = false }: OuterExtents,
    make: (size: number, weight: number) => readonly Omit<OuterRequest, 'into'>[],
  ): ConformanceCase => {
    const record = recordCase();
    const K = w ? w.kernel[0]! * w.kernel[1]! : 1;
    const [S, positions, size] = [
      w ? w.input[0]! * w.input[1]! : T,
      w ? w.output[0]! * w.output[1]! : T,
      G * O * C * K,
    ];
    const extents = { V: 1, N, G, F: C * K, T: positions };
    const strides = { v: 0, n: G * C * S, g: C * S };
    const u: FactorSpec = w
      ? { form: 'unfolded', read: 1, ...extents, strides: { ...strides, c: S }, window: w }
      : { form: 'dense', read: 1, ...extents, strides: { ...strides, f: S, t: 1 } };
    const a: FactorSpec = {
      form: 'dense',
      read: 0,
      V,
      N,
      G,
      F: O,
      T: positions,
      strides: { v: N * G * O * positions, n: G * O * positions, g: O * positions, f: positions, t: 1 },
    };
    const reads = [
      record.input(values(V * N * G * O * positions)),
      record.input(values(N * G * C * S)),
      record.input(values(V * N)),
      record.input([3, 0, 3], 'int32'),
    ];
    const writes: Operand[] = [];
    const requests = make(size, 2).map((request): OuterRequest => {
      const rows =
        (request.strides.v ? request.to - request.from : 1) * (request.strides.n ? (request.samples?.count ?? N) : 1);
      return { ...request, into: writes.push(record.output(values(rows * (request.form === 'norm' ? 1 : size)))) - 1 };
    });
    const inGroup = transposed ? { o: K, c: O * K } : { o: C * K, c: K };
    const term = { kind: 'matrix' as const, a, u, view: { G, O, C, K, strides: { g: O * C * K, ...inGroup, k: 1 } } };
    const terms = tied ? [{ ...term, a: { ...a, V: 1 } }, term] : [term];
    record.call('outer', { N, size, terms, requests }, reads, writes);
    return record.finish(`outer ${name}`);
  };
  const sum = { from: 0, to: 1, strides: { v: 0, n: 0 }, accumulate: false };
  const all =
    (V: number, N: number) =>
    (size: number, weight: number): readonly Omit<OuterRequest, 'into'>[] => [
      { ...sum, form: 'plain' },
      { ...sum, form: 'plain', to: V, weight, accumulate: true },
      { ...sum, form: 'square', to: V, weight },
      { ...sum, form: 'square', to: V, strides: { v: size, n: 0 } },
      { ...sum, form: 'centred' },
      { ...sum, form: 'centred', from: V - 1, to: V, samples: { list: 3, count: 3 }, accumulate: true },
      { ...sum, form: 'norm', strides: { v: 0, n: 1 } },
      { ...sum, form: 'norm', to: V, weight, strides: { v: N, n: 1 } },
      { ...sum, form: 'plain', strides: { v: 0, n: size } },
      { ...sum, form: 'square', to: V, strides: { v: 0, n: size } },
      { ...sum, form: 'plain', to: V, samples: { list: 3, count: 3 }, strides: { v: 3 * size, n: size } },
    ];
  const sums =
    (V: number) =>
    (size: number, weight: number): readonly Omit<OuterRequest, 'into'>[] => [
      { ...sum, form: 'plain' },
      { ...sum, form: 'plain', to: V, weight, strides: { v: size, n: 0 } },
      { ...sum, form: 'plain', to: V },
    ];

  const weighted =
    (V: number) =>
    (size: number, weight: number): readonly Omit<OuterRequest, 'into'>[] => [
      { ...sum, form: 'plain', to: V, weight, strides: { v: size, n: 0 } },
    ];
  const individual =
    (V: number, N: number) =>
    (size: number): readonly Omit<OuterRequest, 'into'>[] => [
      { ...sum, form: 'plain', strides: { v: 0, n: size } },
      { ...sum, form: 'plain', from: 1, to: V, strides: { v: N * size, n: size } },
      { ...sum, form: 'square', to: V, strides: { v: 0, n: size } },
      { ...sum, form: 'norm', to: V, strides: { v: N, n: 1 } },
      { ...sum, form: 'plain' },
      { ...sum, form: 'centred' },
    ];

  const gram = (name: string, positions: 'each' | 'sum', N: number, F: number, T: number): ConformanceCase => {
    const record = recordCase();
    const factor: FactorSpec = {
      form: 'dense',
      read: 0,
      V: 2,
      N,
      G: 1,
      F,
      T,
      strides: { v: N * F * T, n: F * T, g: 0, f: T, t: 1 },
    };
    record.call(
      'gram',
      { factors: [factor], positions, from: 0, to: 2, scale: 0.25, accumulate: true },
      [record.input(values(2 * N * F * T))],
      [record.output(values(F * F))],
    );
    return record.finish(`gram ${name}`);
  };

  const reduce = (
    kept: number,
    reduced: number,
    inner: 'kept' | 'reduced',
    operation: 'sum' | 'max',
  ): ConformanceCase => {
    const record = recordCase();
    const strides = inner === 'reduced' ? [reduced, 1] : [1, kept];
    const spec = {
      kept: [kept],
      reduced: [reduced],
      inputs: [{ strides, dtype: 'float64' as const }],
      operation,
      expression: compileExpression(add(1, input(0))),
      scale: 1 / reduced,
      accumulate: false,
    };
    record.call('reduce', spec, [record.input(values(kept * reduced))], [record.fresh(kept, 'result')]);
    return record.finish(`reduce ${operation} ${kept} kept of ${reduced}, ${inner} inside`);
  };

  const map = (): ConformanceCase => {
    const record = recordCase();
    const shape = [37, 45, 23];
    const lane = (...strides: number[]) => ({ strides, dtype: 'float64' as const });
    const formula = add(mul(input(0), input(1)), mul(input(2), sin(add(coordinate(1), mul(0.1, coordinate(2))))));
    const spec = {
      shape,
      inputs: [lane(45 * 23, 23, 1), lane(0, 1, 0), lane(1, 0, 37)],
      to: [1, 37 * 23, 37],
      expression: compileExpression(formula),
      accumulate: true,
    };
    record.call(
      'map',
      spec,
      [record.input(values(37 * 45 * 23)), record.input(values(45)), record.input(values(37 * 23))],
      [record.output(values(37 * 45 * 23))],
    );
    return record.finish('map, broadcast and transposed');
  };
  const copy = (accumulate: boolean): ConformanceCase => {
    const record = recordCase();
    const spec = {
      dtype: 'float64' as const,
      shape: [3, 210, 190],
      from: [1, 3, 630],
      to: [210 * 190, 190, 1],
      accumulate,
    };
    record.call('copy', spec, [record.input(values(3 * 210 * 190))], [record.output(values(3 * 210 * 190))]);
    return record.finish(`copy, transposed${accumulate ? ', accumulated' : ''}`);
  };

  return [
    gemm('wide', 1, 70, 1300, 90),
    gemm('deep', 1, 33, 65, 1700),
    gemm('few rows, B transposed', 1, 31, 333, 900, { b: 0, k: 1, n: 900 }),
    gemm('a block of rows, B transposed', 1, 168, 130, 400, { b: 0, k: 1, n: 400 }),
    gemm('tall', 1, 900, 40, 50),
    gemm('narrow', 1, 300, 10, 500),
    gemm('batch', 23, 19, 35, 40),
    convolution('one large image', { N: 1, O: 20, C: 9, w: window(36, 3) }),
    convolution('many small images', { V: 2, N: 21, O: 15, C: 50, w: window(6, 3) }),
    convolution('groups, stride', { N: 3, G: 2, O: 17, C: 5, w: window(15, 5, { stride: 2, low: 2 }) }),
    convolution('circular', { N: 2, O: 33, C: 4, w: window(13, 5, { low: 2, mode: 'circular' }) }),
    convolution('steps beyond a panel', { N: 2, O: 15, C: 230, w: window(5, 3) }),
    convolution('pointwise', { N: 9, O: 21, C: 40, w: window(6, 1, { low: 0 }) }),
    convolution('depthwise', { N: 3, G: 20, O: 1, C: 1, w: window(9, 3) }),
    convolution('strided, whole vectors', { V: 2, N: 7, O: 35, C: 32, w: window(9, 3, { stride: 2 }) }),
    ...Array.from({ length: 60 }, (_, index) => anyConvolution(index)),
    outer('all at once, 3×3', { V: 3, N: 5, O: 133, C: 40, w: window(4, 3) }, all(3, 5)),
    outer('all at once, groups', { V: 2, N: 9, G: 2, O: 6, C: 7, w: window(7, 3) }, all(2, 9)),
    outer('all at once, one position', { V: 3, N: 70, O: 37, C: 300 }, all(3, 70)),
    outer('all at once, many positions', { V: 2, N: 4, O: 5, C: 9, T: 700 }, all(2, 4)),
    outer('sums', { V: 2, N: 50, O: 180, C: 35, w: window(5, 3) }, sums(2)),
    outer('sums, one position', { V: 2, N: 500, O: 90, C: 310 }, sums(2)),
    outer(
      'all at once, stride and dilation',
      { V: 2, N: 4, O: 21, C: 7, w: window(11, 3, { stride: 2, dilation: 2 }) },
      all(2, 4),
    ),
    outer(
      'all at once, reflected',
      { V: 2, N: 4, O: 15, C: 3, w: window(6, 5, { low: 2, mode: 'reflect' }) },
      all(2, 4),
    ),
    outer('all at once, transposed', { V: 2, N: 5, O: 17, C: 6, w: window(5, 3), transposed: true }, all(2, 5)),
    outer('all at once, transposed, one position', { V: 2, N: 7, O: 45, C: 33, transposed: true }, all(2, 7)),
    outer('all at once, groups, one position', { V: 2, N: 7, G: 3, O: 5, C: 19 }, all(2, 7)),
    outer('all at once, tied', { V: 3, N: 5, O: 18, C: 10, w: window(5, 3), tied: true }, all(3, 5)),
    outer('all at once, tied, one position', { V: 2, N: 6, O: 18, C: 40, tied: true }, all(2, 6)),
    // samples of more than 1024 positions are cut in ranges
    outer('all at once, long', { V: 2, N: 4, O: 7, C: 5, T: 1500 }, all(2, 4)),
    outer('all at once, long, 3×3', { V: 2, N: 4, O: 9, C: 7, w: window(35, 3) }, all(2, 4)),
    outer('all at once, long, tied', { V: 2, N: 4, O: 5, C: 3, w: window(34, 3), tied: true }, all(2, 4)),
    outer('all at once, long, groups', { V: 1, N: 4, G: 3, O: 20, C: 33, T: 1091 }, all(1, 4)),
    outer('all at once, long, transposed', { V: 2, N: 4, O: 7, C: 6, w: window(35, 3), transposed: true }, all(2, 4)),
    outer('sums, long', { V: 1, N: 1, O: 70, C: 40, w: window(36, 3) }, sums(1)),
    outer('weighted sums, long', { V: 2, N: 3, O: 30, C: 5, w: window(34, 3) }, weighted(2)),
    outer('individual, long', { V: 2, N: 3, O: 31, C: 32, w: window(34, 3) }, individual(2, 3)),
    outer('weighted sums', { V: 2, N: 50, O: 30, C: 5, w: window(5, 3) }, weighted(2)),
    outer('weighted sums, tied', { V: 2, N: 13, O: 9, C: 50, T: 40, tied: true }, weighted(2)),
    outer('individual, past the caches', { V: 2, N: 40, O: 31, C: 32, w: window(4, 3) }, individual(2, 40)),
    outer('individual, one position, past the caches', { V: 3, N: 9, O: 50, C: 1600 }, individual(3, 9)),
    gram('of few features', 'each', 11, 20, 400),
    gram('of many features', 'each', 3, 150, 30),
    gram('positions summed', 'sum', 40, 75, 9),
    reduce(3, 70_001, 'reduced', 'sum'),
    reduce(3, 70_001, 'reduced', 'max'),
    reduce(3000, 10, 'reduced', 'sum'),
    reduce(20, 70_001, 'kept', 'sum'),
    reduce(1500, 40, 'kept', 'max'),
    map(),
    copy(false),
    copy(true),
  ];
}
