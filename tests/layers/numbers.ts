import { Recorder, Recording, type Shape, type TensorRef } from '@gradpack/core';
import { referenceRun } from '@gradpack/testkit';

/** Numbers on the host. */
export interface Numbers {
  readonly shape: Shape;
  readonly data: Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
}

const sizeOf = (shape: Shape): number => shape.reduce((size, extent) => size * extent, 1);

export const floats = (shape: Shape, values: Iterable<number>): Numbers => ({ shape, data: Float64Array.from(values) });
export const ints = (shape: Shape, values: Iterable<number>): Numbers => ({ shape, data: Int32Array.from(values) });

/** Reproducible draws. */
export function drawing(seed: number) {
  let state = seed;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return {
    floats: (shape: Shape, low = -1, high = 1): Numbers =>
      floats(
        shape,
        Array.from({ length: sizeOf(shape) }, () => low + (high - low) * uniform()),
      ),
    ints: (shape: Shape, bound: number): Numbers =>
      ints(
        shape,
        Array.from({ length: sizeOf(shape) }, () => Math.floor(bound * uniform())),
      ),
  };
}

/** What the recorded kernels compute in float64, by their formulas. */
export function evaluate<const Results extends readonly (TensorRef | undefined)[]>(
  record: (k: Recorder, put: (x: Numbers) => TensorRef) => Results,
): { [Place in keyof Results]: Results[Place] extends TensorRef ? Numbers : Numbers | undefined } {
  const recording = new Recording();
  const k = new Recorder('float64', recording);
  const asked = record(k, (x) => k.constant(x.data, x.shape));
  const results = asked.map((x) => {
    if (!x) return undefined;
    const result = k.external(x.shape, x.dtype, 'result');
    k.copyInto(result, x);
    return result;
  });
  const { program, bound } = recording.finish(new Set());
  const bindings = bound.map(
    (buffer) => buffer && (buffer.dtype === 'int32' ? new Int32Array(buffer.length) : new Float64Array(buffer.length)),
  );
  referenceRun(program, bindings);
  return results.map((result) => {
    if (!result) return undefined;
    return { shape: result.shape, data: bindings[bound.indexOf(result.buffer)] };
  }) as never;
}

/** The largest difference, relative to the largest entry (at least `floor`). */
export function difference(a: Numbers | undefined, b: Numbers | undefined, floor = 1): number {
  if (a && b && String(a.shape) !== String(b.shape)) throw new Error(`shapes [${a.shape}] and [${b.shape}]`);
  const length = (a ?? b)?.data.length ?? 0;
  let worst = 0;
  let largest = floor;
  for (let i = 0; i < length; i++) {
    const [x, y] = [a?.data[i] ?? 0, b?.data[i] ?? 0];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
    worst = Math.max(worst, Math.abs(x - y));
    largest = Math.max(largest, Math.abs(x), Math.abs(y));
  }
  return worst / largest;
}

/** `x + factor · y[v]` for y [V, ...x], or y alone where it has x's shape. */
export function moved(x: Numbers, y: Numbers | undefined, factor: number, v = 0): Numbers {
  const size = x.data.length;
  return floats(
    x.shape,
    Array.from(x.data, (value, i) => value + factor * (y?.data[v * size + i] ?? 0)),
  );
}

/** Column v of [V, ...]. */
export function column(x: Numbers, v: number): Numbers {
  const size = x.data.length / (x.shape[0] as number);
  return { shape: x.shape.slice(1), data: x.data.slice(v * size, (v + 1) * size) };
}

/** The inner product of column v of two stacks of columns. */
export function inner(a: Numbers | undefined, b: Numbers | undefined, v: number): number {
  if (!a || !b) return 0;
  const [x, y] = [column(a, v).data, column(b, v).data];
  return Array.from(x).reduce((sum, value, i) => sum + value * (y[i] as number), 0);
}
