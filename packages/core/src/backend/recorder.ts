import { blockOf, columnsOf, type Factor } from '../derivatives/factor.js';
import { pieces } from '../derivatives/range.js';
import { columnsOfTerm, isCommonUse, type Term } from '../derivatives/use.js';
import { bytesPerElement, type Dtype, type Precision, typedArrayOf } from '../tensor/dtype.js';
import { type Shape, sizeOf, stridesOf } from '../tensor/shape.js';
import { broadcastShape, broadcastStrides, renumberAxes } from './broadcast.js';
import { copySpec, mapSpec, reduceSpec } from './elementwise-spec.js';
import { type Expression, input } from './expression.js';
import type { FactorSpec, KernelCall, Lane, MatrixView, OuterRequest, OuterTerm } from './kernel-call.js';
import type { GemmSpec, Kernels, Request, Stream } from './kernels.js';
import type { PendingCall } from './pending-call.js';
import type { Recording } from './recording.js';
import type { TensorRef } from './tensor-ref.js';
import type { Window } from './window.js';

/** Bytes of G of a custom use that are made at once. */
const CUSTOM_BLOCK_BYTES = 64e6;

/** Bits of a step's flag word. */
export const FLAG = { indexOutOfRange: 1, notFinite: 2 } as const;

type SpecOf<Name extends KernelCall['kernel']> = Extract<KernelCall, { kernel: Name }>['spec'];

/** `Kernels` that append to the current recording. */
export class Recorder implements Kernels {
  readonly precision: Precision;
  recording: Recording;
  /** int32 [1], raised by checks; present once a check was recorded. */
  flag: TensorRef | undefined;

  constructor(precision: Precision, recording: Recording) {
    this.precision = precision;
    this.recording = recording;
  }

  /** A tensor whose numbers a run brings, or that it hands out. */
  external(shape: Shape, dtype: Dtype, role: TensorRef['buffer']['role']): TensorRef {
    return { shape, dtype, buffer: this.recording.buffer(dtype, sizeOf(shape), role), offset: 0 };
  }

  /** The tensor as a result of the run: in place where it fills a buffer of its own. */
  promote(x: TensorRef): TensorRef {
    const whole = x.offset === 0 && x.buffer.length === sizeOf(x.shape);
    if (whole && x.buffer.role === 'result') return x;
    if (whole && x.buffer.role === 'scratch') {
      (x.buffer as { role: TensorRef['buffer']['role'] }).role = 'result';
      return x;
    }
    const y = this.external(x.shape, x.dtype, 'result');
    this.copyInto(y, x);
    return y;
  }

  full(shape: Shape, value: number, dtype: Dtype = this.precision): TensorRef {
    const y = this.#fresh(shape, dtype);
    this.fillInto(y, value);
    return y;
  }
  fillInto(y: TensorRef, value: number): void {
    this.#call('fill', [], [y], { length: sizeOf(y.shape), value });
  }
  constant(data: ArrayLike<number>, shape: Shape): TensorRef {
    const dtype: Dtype = data instanceof Int32Array ? 'int32' : this.precision;
    const buffer = this.recording.buffer(dtype, data.length, 'constant', typedArrayOf(dtype, data));
    return { shape, dtype, buffer, offset: 0 };
  }
  reshape(x: TensorRef, shape: Shape): TensorRef {
    if (sizeOf(shape) !== sizeOf(x.shape)) throw new RangeError(`reshape of [${x.shape}] to [${shape}]`);
    return { ...x, shape };
  }
  rows(x: TensorRef, from: number, to: number): TensorRef {
    const [, ...rest] = x.shape;
    return { ...x, shape: [to - from, ...rest], offset: x.offset + from * sizeOf(rest) };
  }

  map(
    expression: Expression,
    inputs: readonly TensorRef[],
    options: { readonly shape?: Shape; readonly into?: TensorRef } = {},
  ): TensorRef {
    const shape = options.into?.shape ?? options.shape ?? broadcastShape(inputs.map((x) => x.shape));
    const y = options.into ?? this.#fresh(shape, this.precision);
    this.#map(y, stridesOf(shape), shape, expression, inputs, options.into !== undefined);
    return y;
  }
  /** Like `map`, but replaces what is in `target`. */
  mapOver(target: TensorRef, expression: Expression, inputs: readonly TensorRef[]): void {
    this.#map(target, stridesOf(target.shape), target.shape, expression, inputs, false);
  }
  #map(
    y: TensorRef,
    to: Shape,
    shape: Shape,
    expression: Expression,
    inputs: readonly TensorRef[],
    accumulate: boolean,
    effect = false,
  ): void {
    const lanes = inputs.map((x): Lane => ({ strides: broadcastStrides(x.shape, shape), dtype: x.dtype }));
    const spec = mapSpec({ shape, inputs: lanes, to, expression, accumulate });
    this.#call('map', inputs, [y], spec, effect);
  }

  reduce(
    operation: 'sum' | 'max',
    expression: Expression,
    inputs: readonly TensorRef[],
    axes: readonly number[],
    options: { readonly shape?: Shape; readonly scale?: number } = {},
  ): TensorRef {
    const shape = options.shape ?? broadcastShape(inputs.map((x) => x.shape));
    const keptAxes = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
    const order = [...keptAxes, ...axes];
    const pick = (values: Shape): number[] => order.map((axis) => values[axis] as number);
    const extents = pick(shape);
    const kept = extents.slice(0, keptAxes.length);
    const y = this.#fresh(kept, this.precision);
    const spec = reduceSpec({
      kept,
      reduced: extents.slice(keptAxes.length),
      inputs: inputs.map((x): Lane => ({ strides: pick(broadcastStrides(x.shape, shape)), dtype: x.dtype })),
      operation,
      expression: renumberAxes(
        expression,
        shape.map((_, axis) => order.indexOf(axis)),
      ),
      scale: options.scale ?? 1,
      accumulate: false,
    });
    this.#call('reduce', inputs, [y], spec);
    return y;
  }

  gatherStrided(x: TensorRef, shape: Shape, strides: Shape, offset = 0): TensorRef {
    const y = this.#fresh(shape, x.dtype);
    this.#copy({ ...x, offset: x.offset + offset }, y, shape, strides, stridesOf(shape), false);
    return y;
  }
  scatterStrided(x: TensorRef, target: TensorRef, strides: Shape, offset: number, accumulate: boolean): void {
    this.#copy(x, { ...target, offset: target.offset + offset }, x.shape, stridesOf(x.shape), strides, accumulate);
  }
  /** Writes `x` over the start of `target`. */
  copyInto(target: TensorRef, x: TensorRef): void {
    this.scatterStrided(x, target, stridesOf(x.shape), 0, false);
  }
  #copy(x: TensorRef, y: TensorRef, shape: Shape, from: Shape, to: Shape, accumulate: boolean, effect = false): void {
    this.#call('copy', [x], [y], copySpec(x.dtype, shape, from, to, accumulate), effect);
  }
  permute(x: TensorRef, axes: readonly number[]): TensorRef {
    const strides = stridesOf(x.shape);
    return this.gatherStrided(
      x,
      axes.map((axis) => x.shape[axis] as number),
      axes.map((axis) => strides[axis] as number),
    );
  }
  concat(xs: readonly TensorRef[], axis: number): TensorRef {
    const [first] = xs;
    if (!first) throw new RangeError('concat of nothing');
    if (xs.length === 1) return first;
    const along = (x: TensorRef): number => x.shape[axis] as number;
    const total = xs.reduce((sum, x) => sum + along(x), 0);
    const y = this.#fresh(
      first.shape.map((extent, a) => (a === axis ? total : extent)),
      first.dtype,
    );
    const strides = stridesOf(y.shape);
    let at = 0;
    for (const x of xs) {
      this.scatterStrided(x, y, strides, at * (strides[axis] as number), false);
      at += along(x);
    }
    return y;
  }

  gemm(a: TensorRef, b: TensorRef, spec: GemmSpec, shape: Shape, into?: TensorRef): TensorRef {
    const { batch = 1, M, N, K, alpha = 1 } = spec;
    const c = into ?? this.#fresh(shape, this.precision);
    this.#call('gemm', [a, b], [c], {
      batch,
      M,
      N,
      K,
      a: { b: 0, ...spec.a },
      b: { b: 0, ...spec.b },
      c: { b: M * N, m: N, n: 1 },
      alpha,
      accumulate: into !== undefined,
    });
    return c;
  }
  convolve(x: TensorRef, weight: TensorRef, view: MatrixView, window: Window, into?: TensorRef): TensorRef {
    return this.#convolution('convolve', x, weight, view, window, [view.G * view.O, ...window.output], into);
  }
  convolveTransposed(y: TensorRef, weight: TensorRef, view: MatrixView, window: Window, into?: TensorRef): TensorRef {
    return this.#convolution('convolveTransposed', y, weight, view, window, [view.G * view.C, ...window.input], into);
  }
  #convolution(
    kernel: 'convolve' | 'convolveTransposed',
    x: TensorRef,
    weight: TensorRef,
    view: MatrixView,
    window: Window,
    features: Shape,
    into?: TensorRef,
  ): TensorRef {
    const [xV = 1, N = 1] = x.shape;
    const size = view.G * view.O * view.C * view.K;
    const weightV = sizeOf(weight.shape) / size;
    const V = Math.max(xV, weightV);
    const y = into ?? this.#fresh([V, N, ...features], this.precision);
    this.#call(kernel, [x, weight], [y], {
      V,
      N,
      xPerColumn: xV === V,
      weightPerColumn: weightV === V && V > 1,
      view,
      window,
      accumulate: into !== undefined,
    });
    return y;
  }

  maxPool(x: TensorRef, window: Window): { readonly values: TensorRef; readonly index: TensorRef } {
    const { rows, shape } = pooled(x, window.input, window.output);
    const values = this.#fresh(shape, this.precision);
    const index = this.#fresh(shape, 'int32');
    this.#call('maxPool', [x], [values, index], { rows, window });
    return { values, index };
  }
  averagePool(x: TensorRef, window: Window, divisors: readonly number[]): TensorRef {
    const { rows, shape } = pooled(x, window.input, window.output);
    const y = this.#fresh(shape, this.precision);
    this.#call('averagePool', [x], [y], { rows, window, divisors });
    return y;
  }
  averagePoolTransposed(y: TensorRef, window: Window, divisors: readonly number[]): TensorRef {
    const { rows, shape } = pooled(y, window.output, window.input);
    const x = this.#fresh(shape, this.precision);
    this.#call('averagePoolTransposed', [y], [x], { rows, window, divisors });
    return x;
  }
  gather(x: TensorRef, index: TensorRef, S: number, shape: Shape): TensorRef {
    return this.#indexed('gather', x, index, S, shape, sizeOf(x.shape) / sizeOf(shape));
  }
  scatterAdd(y: TensorRef, index: TensorRef, S: number, shape: Shape): TensorRef {
    return this.#indexed('scatterAdd', y, index, S, shape, sizeOf(shape) / sizeOf(y.shape));
  }
  #indexed(
    kernel: 'gather' | 'scatterAdd',
    x: TensorRef,
    index: TensorRef,
    S: number,
    shape: Shape,
    positionsPerOutput: number,
  ): TensorRef {
    const T = Math.round(S / positionsPerOutput);
    const R = sizeOf(index.shape) / T;
    const y = this.#fresh(shape, this.precision);
    this.#call(kernel, [x, index], [y], {
      V: (kernel === 'gather' ? sizeOf(shape) : sizeOf(x.shape)) / (R * T),
      R,
      S,
      T,
    });
    return y;
  }
  gatherRows(weight: TensorRef, ids: TensorRef, skip?: number): TensorRef {
    const [V = 1, words = 1, H = 1] = weight.shape;
    const y = this.#fresh([V, ...ids.shape, H], this.precision);
    this.#call('gatherRows', [weight, ids], [y], {
      V,
      J: sizeOf(ids.shape),
      H,
      words,
      ...(skip !== undefined && { skip }),
    });
    return y;
  }

  random({ run, stream }: Stream, firstColumn: number, [V, N, P]: readonly [number, number, number]): TensorRef {
    const u = this.#fresh([V, N, P], this.precision);
    this.#call('random', [run], [u], { stream, firstColumn, V, N, P });
    return u;
  }
  categorical(probabilities: TensorRef, uniforms: TensorRef): TensorRef {
    const [N = 1, C = 1, ...positions] = probabilities.shape;
    const [M = 1] = uniforms.shape;
    const labels = this.#fresh([M, N, ...positions], 'int32');
    this.#call('categorical', [probabilities, uniforms], [labels], { M, N, C, P: sizeOf(positions) });
    return labels;
  }
  clampIndices(ids: TensorRef, bound: number): TensorRef {
    const out = this.#fresh(ids.shape, 'int32');
    this.#call(
      'clampIndices',
      [ids],
      [out, this.#flagRef()],
      { length: sizeOf(ids.shape), bound, bit: FLAG.indexOutOfRange },
      true,
    );
    return out;
  }
  checkFinite(x: TensorRef): void {
    this.#call('checkFinite', [x], [this.#flagRef()], { length: sizeOf(x.shape), bit: FLAG.notFinite }, true);
  }
  #flagRef(): TensorRef {
    if (!this.flag) {
      this.flag = this.external([1], 'int32', 'result');
      this.recording.push(
        { kernel: 'fill', reads: [], writes: [this.flag], spec: { length: 1, value: 0 }, effect: true },
        true,
      );
    }
    return this.flag;
  }
  /** `target += scale · x` unless the flag is raised. */
  update(target: TensorRef, x: TensorRef, scale: TensorRef, flag: TensorRef | undefined): void {
    const step: Expression = { op: 'mul', a: input(0), b: input(1) };
    const safe: Expression = flag
      ? { op: 'where', condition: input(2), a: { op: 'constant', value: 0 }, b: step }
      : step;
    this.#map(target, stridesOf(x.shape), x.shape, safe, flag ? [x, scale, flag] : [x, scale], true, true);
  }

  /** Replaces state by its new value at the end of the run, unless the flag is raised. */
  commit(state: TensorRef, value: TensorRef): void {
    if (!this.flag) {
      this.#copy(value, state, value.shape, stridesOf(value.shape), stridesOf(value.shape), false, true);
      return;
    }
    const before = this.external(state.shape, state.dtype, 'scratch');
    this.copyInto(before, state);
    const raised: Expression = { op: 'where', condition: input(2), a: input(1), b: input(0) };
    this.#map(state, stridesOf(state.shape), state.shape, raised, [value, before, this.flag], false, true);
  }

  outer(terms: readonly Term[], requests: readonly Request[]): void {
    const all = [...terms, ...requests.flatMap((request) => request.cross ?? [])];
    if (all.every(({ use }) => isCommonUse(use))) {
      this.#outer(terms, requests);
      return;
    }
    const [{ a: { N } = { N: 1 }, use } = { use: undefined }] = all;
    const size = sizeOf(use?.parameter.shape ?? []);
    const V = Math.max(...requests.map((request) => request.to));
    const block = Math.max(1, Math.floor(CUSTOM_BLOCK_BYTES / (N * size * bytesPerElement(this.precision))));
    for (const range of pieces(V, block)) {
      const inside = requests.filter(({ from, to }) => from < range.to && to > range.from);
      const cut = inside.map((request): CutRequest => {
        const [from, to] = [Math.max(request.from, range.from), Math.min(request.to, range.to)];
        const skipped = from - request.from;
        return {
          ...request,
          cross: request.cross?.flatMap((term) => this.#columns(term, skipped, skipped + to - from)),
          from: from - range.from,
          to: to - range.from,
          ...(request.weight && { weight: this.rows(request.weight, skipped, skipped + to - from) }),
          into: { ...request.into, offset: request.into.offset + skipped * request.strides.v },
          accumulate: request.accumulate || (skipped > 0 && request.strides.v === 0),
        };
      });
      if (cut.length > 0)
        this.#outer(
          terms.flatMap((term) => this.#columns(term, range.from, range.to)),
          cut,
        );
    }
  }
  /** Columns [from, to) of a term; of a custom one as the block of G itself. Nothing where the term has ended. */
  #columns(term: Term, from: number, to: number): (Term | GivenTerm)[] {
    const { use, a } = term;
    const V = columnsOfTerm(term);
    const end = Math.min(to, V);
    if (from >= end) return [];
    if (!isCommonUse(use)) {
      const at = { columns: { from, to: end }, samples: { from: 0, to: a.N } };
      return [{ given: use.blockOf(blockOf(a, at, this), at, this) }];
    }
    const cut = (factor: Factor): Factor => (factor.V === 1 && V > 1 ? factor : columnsOf(factor, from, end));
    return [{ use: 'u' in use ? { ...use, u: cut(use.u) } : use, a: cut(a) }];
  }

  #outer(terms: readonly (Term | GivenTerm)[], requests: readonly CutRequest[]): void {
    const reads: TensorRef[] = [];
    const read = (x: TensorRef): number => reads.push(x) - 1;
    const term = (t: Term | GivenTerm): OuterTerm => {
      if ('given' in t) {
        const [V = 1, n = 1, ...theta] = t.given.shape;
        const size = sizeOf(theta);
        return { kind: 'given', read: read(t.given), V, strides: { v: n * size, n: size } };
      }
      const { use, a } = t;
      if (!isCommonUse(use)) throw new TypeError('a custom use is given as a block');
      const A = factorSpec(a, read);
      switch (use.kind) {
        case 'matrix':
          return { kind: 'matrix', a: A, u: factorSpec(use.u, read), view: use.view };
        case 'shift':
          return { kind: 'shift', a: A };
        case 'scale':
          return { kind: 'scale', a: A, u: factorSpec(use.u, read) };
        case 'lookup':
          return { kind: 'lookup', a: A, rows: read(use.rows), ...(use.skip !== undefined && { skip: use.skip }) };
      }
    };
    const [first] = terms;
    if (!first) return;
    const N = 'given' in first ? (first.given.shape[1] as number) : first.a.N;
    const size = 'given' in first ? sizeOf(first.given.shape.slice(2)) : sizeOf(first.use.parameter.shape);
    const specs = terms.map(term);
    const writes: TensorRef[] = [];
    this.#call('outer', reads, writes, {
      N,
      size,
      terms: specs,
      requests: requests.map(
        ({ form, from, to, weight, cross, samples, into, strides, accumulate }): OuterRequest => ({
          form,
          from,
          to,
          ...(weight && { weight: read(weight) }),
          ...(cross && { cross: cross.map(term) }),
          ...(samples && { samples: { list: read(samples), count: sizeOf(samples.shape) } }),
          into: writes.push(into) - 1,
          strides,
          accumulate,
        }),
      ),
    });
  }

  gram(
    factors: readonly Factor[],
    positions: 'each' | 'sum',
    options: { readonly scale?: number; readonly into?: TensorRef } = {},
  ): TensorRef {
    const [first] = factors;
    if (!first) throw new RangeError('gram of nothing');
    const { G, F } = first;
    const B = options.into ?? this.#fresh([G, F, F], this.precision);
    const reads: TensorRef[] = [];
    const specs = factors.map((factor) => factorSpec(factor, (x) => reads.push(x) - 1));
    const to = Math.max(...factors.map((factor) => factor.V));
    this.#call('gram', reads, [B], {
      factors: specs,
      positions,
      from: 0,
      to,
      scale: options.scale ?? 1,
      accumulate: options.into !== undefined,
    });
    return B;
  }

  #fresh(shape: Shape, dtype: Dtype): TensorRef {
    return this.external(shape, dtype, 'scratch');
  }
  #call<Name extends KernelCall['kernel']>(
    kernel: Name,
    reads: readonly TensorRef[],
    writes: readonly TensorRef[],
    spec: SpecOf<Name>,
    effect = false,
  ): void {
    // TypeScript cannot relate a generic name to the member of the union it picks
    this.recording.push({ kernel, reads, writes, spec, effect } as unknown as PendingCall);
  }
}

type CutRequest = Omit<Request, 'cross'> & { readonly cross?: readonly (Term | GivenTerm)[] | undefined };

/** G itself, [V, N, ...θ]. */
interface GivenTerm {
  readonly given: TensorRef;
}

function factorSpec(factor: Factor, read: (x: TensorRef) => number): FactorSpec {
  const { tensor, ...rest } = factor;
  return { ...rest, read: read(tensor) };
}

function pooled(x: TensorRef, from: Shape, to: Shape): { rows: number; shape: Shape } {
  const lead = x.shape.slice(0, x.shape.length - from.length);
  return { rows: sizeOf(lead), shape: [...lead, ...to] };
}
