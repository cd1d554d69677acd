import { isNativeAvailable, native } from '@gradpack/backend-native';
import type {
  Backend,
  FactorSpec,
  Kernel,
  MatrixView,
  Operand,
  OuterRequest,
  TypedArray,
  Window,
} from '@gradpack/core';
import { type CaseRecorder, type ConformanceCase, recordCase, worstError } from '@gradpack/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { offCentre, unfolded, writesOf } from '../support/recorded-run.js';

const available = isNativeAvailable();

/** What minimal filtering (Winograd) takes: large enough to pay, with tiles that stick out. */
interface Shape {
  readonly name: string;
  readonly V: number;
  readonly N: number;
  readonly G: number;
  readonly O: number;
  readonly C: number;
  readonly input: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly low: readonly [number, number];
  readonly high?: readonly [number, number];
}

const CONVOLUTIONS: readonly (Shape & Partial<Pick<Kernel['convolve'], 'weightPerColumn' | 'accumulate' | 'bias'>>)[] =
  [
    { name: '3x3', V: 1, N: 2, G: 1, O: 49, C: 40, input: [21, 26], kernel: [3, 3], low: [1, 1] },
    {
      name: '5x5, added',
      V: 1,
      N: 3,
      G: 1,
      O: 34,
      C: 33,
      input: [15, 17],
      kernel: [5, 5],
      low: [2, 2],
      accumulate: true,
    },
    {
      name: '2x4, uneven padding',
      V: 1,
      N: 3,
      G: 1,
      O: 34,
      C: 49,
      input: [20, 19],
      kernel: [2, 4],
      low: [1, 2],
      high: [0, 1],
    },
    { name: '3x3, groups, small images', V: 1, N: 150, G: 2, O: 33, C: 32, input: [6, 7], kernel: [3, 3], low: [0, 0] },
    {
      name: '4x3, weight per column',
      V: 2,
      N: 3,
      G: 1,
      O: 41,
      C: 36,
      input: [17, 16],
      kernel: [4, 3],
      low: [1, 1],
      weightPerColumn: true,
    },
    { name: '3x5, bias', V: 1, N: 3, G: 1, O: 39, C: 33, input: [19, 20], kernel: [3, 5], low: [0, 2], bias: true },
  ];

/**
 * Channels fill whole vectors. Over the positions of a large image the samples' gradients come close to each other: `spread` is by how
 * much that amplifies the roundings of both ways in what is centred.
 */
const OUTER: readonly (Shape & { readonly uV: number; readonly spread?: number })[] = [
  { name: '3x3', V: 2, N: 3, G: 1, O: 35, C: 32, input: [14, 15], kernel: [3, 3], low: [1, 1], uV: 1 },
  { name: '5x5', V: 1, N: 3, G: 1, O: 50, C: 64, input: [15, 13], kernel: [5, 5], low: [2, 2], uV: 1 },
  {
    name: '2x4, u per column',
    V: 3,
    N: 2,
    G: 1,
    O: 34,
    C: 64,
    input: [14, 13],
    kernel: [2, 4],
    low: [1, 2],
    high: [0, 1],
    uV: 3,
  },
  { name: '4x3, groups', V: 2, N: 3, G: 2, O: 36, C: 32, input: [13, 14], kernel: [4, 3], low: [0, 0], uV: 1 },
  {
    name: '3x3, more samples than fit at once',
    V: 1,
    N: 70,
    G: 1,
    O: 40,
    C: 48,
    input: [12, 12],
    kernel: [3, 3],
    low: [1, 1],
    uV: 1,
  },
  {
    name: '3x3, more columns than fit at once',
    V: 40,
    N: 3,
    G: 1,
    O: 64,
    C: 32,
    input: [12, 12],
    kernel: [3, 3],
    low: [1, 1],
    uV: 1,
  },
  {
    name: '3x3, images that do not fit',
    V: 2,
    N: 2,
    G: 1,
    O: 40,
    C: 48,
    input: [61, 58],
    kernel: [3, 3],
    low: [1, 1],
    uV: 1,
    spread: 2,
  },
  {
    name: '2x4, images that do not fit, u per column, groups',
    V: 2,
    N: 2,
    G: 2,
    O: 20,
    C: 32,
    input: [70, 43],
    kernel: [2, 4],
    low: [0, 2],
    uV: 2,
    spread: 2,
  },
];

/** Small images, any padding or cropping: most are taken. */
function randomShapes(count: number): readonly Shape[] {
  let state = 7;
  const whole = (from: number, to: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return from + Math.floor((state / 2 ** 32) * (to - from + 1));
  };
  const pair = (from: number, to: number): [number, number] => [whole(from, to), whole(from, to)];
  return Array.from({ length: count }, () => {
    const kernel = pair(2, 5);
    const input = pair(6, 19);
    const low = kernel.map((k) => whole(-1, k)) as [number, number];
    const high = kernel.map((k) => whole(-1, k)) as [number, number];
    const [V, N, G, O, C] = [whole(1, 2), whole(1, 5), whole(1, 2), whole(20, 50), 16 * whole(1, 3)] as const;
    const name = `${kernel.join('×')} on ${input.join('×')} less ${low} and ${high}, V ${V}, N ${N}, G ${G}, O ${O}, C ${C}`;
    return { name, V, N, G, O, C, input, kernel, low, high };
  });
}

type Request = Omit<OuterRequest, 'into' | 'strides' | 'accumulate' | 'weight' | 'samples'> & {
  readonly accumulate?: true;
  readonly perColumn?: true;
  readonly perSample?: true;
  readonly weighted?: true;
  readonly samples?: readonly number[];
};

const requestsOf = ({ V, N }: Shape): Readonly<Record<string, readonly Request[]>> => ({
  'one sum': [{ form: 'plain', from: 0, to: V }],
  'one sum, added': [{ form: 'plain', from: 0, to: V, accumulate: true }],
  'sums and squares': [
    { form: 'plain', from: 0, to: 1 },
    { form: 'square', from: 0, to: V, weighted: true },
    { form: 'square', from: V - 1, to: V, accumulate: true },
    { form: 'centred', from: 0, to: 1 },
    { form: 'norm', from: 0, to: V, perSample: true },
  ],
  'some samples': [
    { form: 'plain', from: 0, to: V, perSample: true, samples: [N - 1] },
    { form: 'square', from: 0, to: V, samples: [N - 1, N - 1] },
  ],
  'each sample': [
    { form: 'plain', from: 0, to: 1, perSample: true, samples: [N - 1, 0, N - 1] },
    { form: 'square', from: 0, to: V, perSample: true, samples: [0, 1] },
    { form: 'norm', from: 0, to: V, perColumn: true, perSample: true, weighted: true },
    { form: 'plain', from: 0, to: V, perColumn: true, weighted: true, accumulate: true },
  ],
});

describe.skipIf(available !== true)(`minimal filtering, native${available === true ? '' : `: ${available}`}`, () => {
  describe.each([
    { precision: 'float32', threads: 1, tolerance: 4e-6 },
    { precision: 'float32', threads: 2, tolerance: 4e-6 },
    { precision: 'float64', threads: 2, tolerance: 1e-14 },
  ] as const)('$precision, $threads threads', ({ precision, threads, tolerance }) => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await native({ precision, threads });
    });
    afterAll(() => backend.dispose());

    describe.each(CONVOLUTIONS)('of a convolution, $name', (shape) => {
      it.each(['convolve', 'convolveTransposed'] as const)('%s is the sum', async (kernel) => {
        expect(await convolutionError(backend, kernel, shape)).toBeLessThan(tolerance);
      });
    });

    it.each(randomShapes(precision === 'float64' ? 40 : 4))('of $name', async (shape) => {
      for (const kernel of ['convolve', 'convolveTransposed'] as const)
        expect(await convolutionError(backend, kernel, shape), kernel).toBeLessThan(tolerance);
      const requests: Request[] = [
        { form: 'plain', from: 0, to: shape.V },
        { form: 'square', from: 0, to: 1 },
      ];
      // beyond its columns a term is 0
      const beyond: Request[] = [{ form: 'plain', from: 0, to: shape.V + 2 }];
      for (const wanted of [requests, requests.slice(0, 1), beyond]) {
        const { error } = await outerBothWays(backend, { ...shape, uV: 1 }, wanted);
        expect(error, 'outer').toBeLessThan(tolerance);
      }
    });

    it('leaves outer products alone whose θ has other columns than its window', async () => {
      const shape = { ...(OUTER[0] as (typeof OUTER)[number]), C: 48 };
      const view = viewOf({ ...shape, C: 144, kernel: [1, 3] }); // as many columns
      const requests: Request[] = [{ form: 'square', from: 0, to: shape.V }];
      expect((await outerBothWays(backend, shape, requests, view)).error).toBeLessThan(tolerance);
    });

    describe.each(OUTER)('of outer products, $name', (shape) => {
      it.each(Object.entries(requestsOf(shape)))('%s: as of the unfolded image', async (_, requests) => {
        const { got, expected, error } = await outerBothWays(backend, shape, requests);
        expect(got.length).toBe(requests.length);
        const centred = requests.some(({ form }) => form === 'centred');
        expect(error).toBeLessThan(tolerance * (centred ? (shape.spread ?? 1) : 1));
        // tiles round differently: the two were not computed the same way
        expect(got).not.toEqual(expected);
      });
    });
  });
});

function windowOf({ input, kernel, low, high = low }: Shape): Window {
  const output = input.map(
    (extent, axis) => extent + (low[axis] as number) + (high[axis] as number) - (kernel[axis] as number) + 1,
  );
  return { input, kernel, output, stride: [1, 1], dilation: [1, 1], low, transposed: false, mode: 'zeros' };
}

const product = (extents: readonly number[]): number => extents.reduce((a, b) => a * b, 1);

function viewOf({ G, O, C, kernel }: Shape): MatrixView {
  const K = product(kernel);
  return { G, O, C, K, strides: { g: O * C * K, o: C * K, c: K, k: 1 } };
}

/** Of a convolution against its formula. */
async function convolutionError(
  backend: Backend,
  kernel: 'convolve' | 'convolveTransposed',
  shape: (typeof CONVOLUTIONS)[number],
): Promise<number> {
  const { recorded, from, weight, bias, before } = convolution(kernel, shape);
  const [got] = await writesOf(backend, recorded);
  return worstError([{ got: got as TypedArray, expected: convolved(kernel, shape, from, weight, bias, before) }]);
}

/** Outer products of an image that is unfolded lazily, and beforehand. */
async function outerBothWays(
  backend: Backend,
  shape: (typeof OUTER)[number],
  requests: readonly Request[],
  view = viewOf(shape),
): Promise<{ readonly got: readonly TypedArray[]; readonly expected: readonly TypedArray[]; readonly error: number }> {
  const got = await writesOf(backend, outer(shape, requests, 'unfolded', view));
  const expected = await writesOf(backend, outer(shape, requests, 'dense', view));
  return {
    got,
    expected,
    error: worstError(got.map((array, i) => ({ got: array, expected: expected[i] as TypedArray }))),
  };
}

interface RecordedConvolution {
  readonly recorded: ConformanceCase;
  readonly from: Float64Array;
  readonly weight: Float64Array;
  readonly bias: Float64Array | undefined;
  readonly before: Float64Array;
}

function convolution(
  kernel: 'convolve' | 'convolveTransposed',
  shape: (typeof CONVOLUTIONS)[number],
): RecordedConvolution {
  const { V, N, G, O, C, weightPerColumn = false, accumulate = false } = shape;
  const window = windowOf(shape);
  const images = [G * C * product(window.input), G * O * product(window.output)] as const;
  const [fromSize, toSize] = kernel === 'convolve' ? images : [images[1], images[0]];
  const from = offCentre(V * N * fromSize, 1);
  const weight = offCentre((weightPerColumn ? V : 1) * G * O * C * product(shape.kernel), 2);
  const bias = shape.bias && kernel === 'convolve' ? offCentre(G * O, 3) : undefined;
  const before = offCentre(V * N * toSize, 4);
  const record = recordCase();
  record.call(
    kernel,
    {
      V,
      N,
      xPerColumn: true,
      weightPerColumn,
      accumulate,
      view: viewOf(shape),
      window,
      ...(bias ? { bias: true } : {}),
    },
    [record.input(from), record.input(weight), ...(bias ? [record.input(bias)] : [])],
    [record.output(before)],
  );
  return { recorded: record.finish(kernel), from, weight, bias, before };
}

/** The formula of kernel-call.ts in float64. */
function convolved(
  kernel: 'convolve' | 'convolveTransposed',
  shape: (typeof CONVOLUTIONS)[number],
  from: Float64Array,
  weight: Float64Array,
  bias: Float64Array | undefined,
  before: Float64Array,
): TypedArray {
  const { V, N, G, O, C, weightPerColumn = false, accumulate = false } = shape;
  const { input, output, low } = windowOf(shape) as unknown as Readonly<
    Record<'input' | 'output' | 'low', [number, number]>
  >;
  const [kh, kw] = shape.kernel;
  const [S, T] = [product(input), product(output)];
  const to = accumulate ? before.slice() : new Float64Array(before.length);
  for (let vn = 0; vn < V * N; vn++)
    for (let go = 0; go < G * O; go++)
      for (let c = 0; c < C; c++)
        for (let k = 0; k < kh * kw; k++) {
          const g = Math.floor(go / O);
          const w = weight[
            (weightPerColumn ? Math.floor(vn / N) * G * O * C * kh * kw : 0) + (go * C + c) * kh * kw + k
          ] as number;
          for (let i = 0; i < output[0]; i++) {
            const p = i - low[0] + Math.floor(k / kw);
            if (p < 0 || p >= input[0]) continue;
            for (let j = 0; j < output[1]; j++) {
              const q = j - low[1] + (k % kw);
              if (q < 0 || q >= input[1]) continue;
              const x = ((vn * G + g) * C + c) * S + p * input[1] + q;
              const y = (vn * G * O + go) * T + i * output[1] + j;
              if (kernel === 'convolve') to[y] = (to[y] as number) + w * (from[x] as number);
              else to[x] = (to[x] as number) + w * (from[y] as number);
            }
          }
        }
  if (bias)
    for (let i = 0; i < to.length; i++) to[i] = (to[i] as number) + (bias[Math.floor(i / T) % (G * O)] as number);
  return to;
}

function outer(
  shape: (typeof OUTER)[number],
  requests: readonly Request[],
  form: 'dense' | 'unfolded',
  view: MatrixView,
): ConformanceCase {
  const { V, N, G, O, C, uV } = shape;
  const window = windowOf(shape);
  const [K, S, T] = [product(shape.kernel), product(window.input), product(window.output)];
  const size = G * O * C * K;
  const record = recordCase();
  const reads: Operand[] = [];
  const read = (operand: Operand): number => reads.push(operand) - 1;
  const image = offCentre(uV * N * G * C * S, 5);
  const a: FactorSpec = {
    ...{ form: 'dense', read: read(record.input(offCentre(V * N * G * O * T, 6))), V, N, G, F: O, T },
    strides: { v: N * G * O * T, n: G * O * T, g: O * T, f: T, t: 1 },
  };
  const extents = { V: uV, N, G, F: C * K, T };
  const u: FactorSpec =
    form === 'unfolded'
      ? {
          form,
          read: read(record.input(image)),
          ...extents,
          strides: { v: N * G * C * S, n: G * C * S, g: C * S, c: S },
          window,
        }
      : {
          form,
          read: read(record.input(unfolded(image, window))),
          ...extents,
          strides: { v: N * G * C * K * T, n: G * C * K * T, g: C * K * T, f: T, t: 1 },
        };
  const writes: Operand[] = [];
  const wanted = requests.map((request, i) => requestOf(request, i, { N, size, record, read, writes }));
  record.call('outer', { N, size, terms: [{ kind: 'matrix', a, u, view }], requests: wanted }, reads, writes);
  return record.finish('outer');
}

interface Recording {
  readonly N: number;
  readonly size: number;
  readonly record: CaseRecorder;
  readonly read: (operand: Operand) => number;
  readonly writes: Operand[];
}

function requestOf(
  { perColumn, perSample, weighted, samples, accumulate, ...rest }: Request,
  seed: number,
  { N, size, record, read, writes }: Recording,
): OuterRequest {
  const entries = rest.form === 'norm' ? 1 : size;
  const rows = samples?.length ?? N;
  const columns = rest.to - rest.from;
  const length = (perColumn ? columns : 1) * (perSample ? rows : 1) * entries;
  return {
    ...rest,
    ...(weighted ? { weight: read(record.input(offCentre(columns * N, 10 + seed))) } : {}),
    ...(samples ? { samples: { list: read(record.input(samples, 'int32')), count: samples.length } } : {}),
    into: writes.push(record.output(offCentre(length, 20 + seed))) - 1,
    strides: { v: perColumn ? (perSample ? rows : 1) * entries : 0, n: perSample ? entries : 0 },
    accumulate: accumulate ?? false,
  };
}
