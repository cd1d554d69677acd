import {
  expression,
  type KernelCall,
  type Operand,
  type Program,
  type RecordedBuffer,
  Recorder,
  Recording,
  sizeOf,
  stridesOf,
  type TensorRef,
  type TypedArray,
} from '@gradpack/core';
import type { ConformanceCase } from '@gradpack/testkit';

const { add, coordinate, equal, exp, input, less, max, mul, neg, sub, where } = expression;

const UNARY = [
  max(0, input(0)),
  mul(input(0), input(0)),
  neg(input(0)),
  exp(neg(max(0, input(0)))),
  where(less(input(0), 0), 0.5, input(0)),
];
const BINARY = [
  add(input(0), input(1)),
  mul(input(0), input(1)),
  sub(input(0), input(1)),
  max(input(0), input(1)),
  mul(input(0), where(less(0, input(1)), 1, 0)),
];

/** One program as its calls were recorded, each buffer on its own, and as a recording makes it. */
export interface ProgramPair {
  readonly recorded: ConformanceCase;
  readonly made: ConformanceCase;
  /** By the buffers of `made` that can be seen: their number in `recorded`. */
  readonly seen: ReadonlyMap<number, number>;
}

type PendingCall = Parameters<Recording['push']>[0];

class Watched extends Recording {
  readonly calls: PendingCall[] = [];
  override push(call: PendingCall): void {
    this.calls.push(call);
    super.push(call);
  }
}

/** A program of the kind that layers and rules record: chains, views, pads, products with a bias, state that changes. */
export function randomProgram(random: () => number, limits: ConstructorParameters<typeof Recording>[0]): ProgramPair {
  const whole = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
  const chance = (p: number): boolean => random() < p;
  const pick = <T>(list: readonly T[]): T => list[whole(0, list.length - 1)]!;
  const recording = new Watched(limits);
  const k = new Recorder('float64', recording);
  const numbers = new Map<RecordedBuffer, TypedArray>();
  const given = (shape: readonly number[], role: 'input' | 'parameter' = 'input'): TensorRef => {
    const x = k.external(shape, 'float64', role);
    numbers.set(
      x.buffer,
      Float64Array.from({ length: sizeOf(shape) }, () => whole(-24, 24) / 8),
    );
    return x;
  };
  const labels = k.external([whole(2, 4), whole(2, 4)], 'int32', 'input');
  numbers.set(
    labels.buffer,
    Int32Array.from({ length: sizeOf(labels.shape) }, () => whole(0, 3)),
  );

  const state = given([whole(2, 4), whole(2, 4)], 'parameter');
  const made = [state, given([whole(1, 3), whole(2, 4), whole(2, 4)]), given([whole(2, 5), whole(1, 6)])];
  const results: TensorRef[] = [];
  const any = (): TensorRef => (chance(0.6) ? made.at(-1)! : pick(made));
  const matrix = (x: TensorRef): readonly [M: number, K: number] => {
    const K = x.shape.at(-1) ?? 1;
    return [sizeOf(x.shape) / K, K];
  };

  const chain = (): TensorRef => k.map(pick(UNARY), [any()]);
  const steps: readonly (() => TensorRef | undefined)[] = [
    chain,
    chain,
    function combine() {
      const x = any();
      const fits = made.findLast((y) => y !== x && broadcasts(y.shape, x.shape) && chance(0.7));
      const other = fits ?? given(x.shape.map((extent) => (chance(0.3) ? 1 : extent)));
      return k.map(pick(BINARY), chance(0.5) ? [x, other] : [other, x]);
    },
    function count() {
      const x = any();
      if (x.shape.length === 0) return undefined;
      return k.map(add(input(0), coordinate(whole(0, x.shape.length - 1))), [x]);
    },
    function broadcast() {
      const x = any();
      return k.map(pick(UNARY), [x], { shape: [whole(1, 3), ...x.shape] });
    },
    function reduce() {
      const x = any();
      const axes = x.shape.flatMap((_, axis) => (chance(0.5) ? [axis] : []));
      return k.reduce(pick(['sum', 'max']), pick(UNARY), [x], axes, { scale: pick([1, 0.5]) });
    },
    function permute() {
      const x = any();
      const axes = x.shape.map((_, axis) => axis);
      return k.permute(
        x,
        axes.sort(() => random() - 0.5),
      );
    },
    function slice() {
      const x = any();
      const strides = stridesOf(x.shape);
      const from = x.shape.map((extent) => whole(0, extent - 1));
      const shape = x.shape.map((extent, axis) => whole(1, extent - from[axis]!));
      const signs = shape.map(() => (chance(0.2) ? -1 : 1));
      const first = from.map((start, axis) => (signs[axis] === 1 ? start : start + shape[axis]! - 1));
      const offset = first.reduce((sum, start, axis) => sum + start * strides[axis]!, 0);
      return k.gatherStrided(
        x,
        shape,
        strides.map((stride, axis) => stride * signs[axis]!),
        offset,
      );
    },
    function pad() {
      const x = any();
      const shape = x.shape.map((extent) => extent + whole(0, 1));
      const target = k.full(shape, pick([0, 2]));
      const strides = stridesOf(shape);
      const offset = shape.reduce((sum, extent, axis) => sum + whole(0, extent - x.shape[axis]!) * strides[axis]!, 0);
      k.scatterStrided(x, target, strides, offset, chance(0.3));
      return target;
    },
    function concat() {
      const x = any();
      if (x.shape.length === 0) return undefined;
      return k.concat([x, k.map(pick(UNARY), [x])], whole(0, x.shape.length - 1));
    },
    function reshape() {
      const x = any();
      return k.reshape(x, chance(0.5) ? [sizeOf(x.shape)] : [1, ...x.shape]);
    },
    function rows() {
      const x = any();
      const [first = 1] = x.shape;
      return x.shape.length === 0 ? undefined : k.rows(x, whole(0, first - 1), first);
    },
    function product() {
      const x = any();
      const [M, K] = matrix(x);
      const N = whole(1, 4);
      const bias = k.map(pick([input(0), input(0), neg(input(0))]), [given(pick([[N], [M, 1], [M, N]]), 'parameter')], {
        shape: [M, N],
      });
      if (chance(0.2)) made.push(k.map(pick(UNARY), [bias]));
      const b = pick([
        { k: N, n: 1 },
        { k: 1, n: K },
      ]);
      const spec = { M, N, K, a: { m: K, k: 1 }, b, alpha: pick([1, 0.5]) };
      return k.gemm(x, given([K, N], 'parameter'), spec, [M, N], chance(0.8) ? bias : undefined);
    },
    function gram() {
      const x = any();
      const [N, F] = matrix(x);
      const strides = { v: N * F, n: F, g: 0, f: 1, t: 0 };
      return k.gram([{ form: 'dense', tensor: x, V: 1, N, G: 1, F, T: 1, strides }], 'each');
    },
    function classes() {
      const turned = k.permute(labels, [1, 0]);
      return k.map(where(equal(input(0), 2), 1, input(0)), [chance(0.5) ? turned : k.permute(turned, [1, 0])]);
    },
    function change() {
      const x = made.findLast((y) => y !== state && y.shape.join() === state.shape.join());
      if (x) k.update(state, x, given([]), undefined);
      return undefined;
    },
    function accumulate() {
      const x = any();
      return k.map(pick(UNARY), [x], { into: k.full(x.shape, 1) });
    },
  ];
  for (let i = whole(3, 12); i > 0; i--) {
    const y = pick(steps)();
    if (y && sizeOf(y.shape) < 2000) made.push(y);
    if (y && chance(0.15)) results.push(k.promote(y));
  }
  results.push(k.promote(made.at(-1)!));

  const places = new Map<RecordedBuffer, number>();
  const recorded = asRecorded(recording.calls, places);
  const kept = new Set([...places.keys()].filter(({ role }) => role === 'scratch' && chance(0.05)));
  const { program, bound } = recording.finish(kept);
  const numbersOf = (buffer: RecordedBuffer): TypedArray =>
    numbers.get(buffer) ?? (buffer.dtype === 'int32' ? new Int32Array(buffer.length) : new Float64Array(buffer.length));
  return {
    recorded: { name: 'recorded', kernels: [], program: recorded, data: [...places.keys()].map(numbersOf) },
    made: { name: 'made', kernels: [], program, data: bound.map((buffer) => buffer && numbersOf(buffer)) },
    seen: new Map(bound.flatMap((buffer, i) => (buffer ? [[i, places.get(buffer)!] as const] : []))),
  };
}

function broadcasts(small: readonly number[], large: readonly number[]): boolean {
  const lead = large.length - small.length;
  return lead >= 0 && small.every((extent, axis) => extent === 1 || extent === large[axis + lead]);
}

function asRecorded(calls: readonly PendingCall[], places: Map<RecordedBuffer, number>): Program {
  const operand = ({ buffer, offset }: PendingCall['reads'][number]): Operand => {
    const place = places.get(buffer) ?? places.size;
    places.set(buffer, place);
    return { buffer: place, offset };
  };
  const numbered = calls.map(({ kernel, reads, writes, spec }) => ({
    kernel,
    spec,
    reads: reads.map(operand),
    writes: writes.map(operand),
  }));
  const life = { role: 'kept', first: 0, last: calls.length - 1 } as const;
  return {
    buffers: [...places.keys()].map(({ dtype, length }) => ({ dtype, length, ...life })),
    slots: [],
    calls: numbered as readonly KernelCall[],
    bytes: { scratch: 0, kept: 0, results: 0 },
  };
}
