import type { FactorSpec, MatrixView, Operand, OuterRequest, OuterTerm, Window } from '@gradpack/core';
import { type CaseRecorder, type ConformanceCase, recordCase } from '../conformance-case.js';
import type { Draw } from '../draw.js';
import { positions } from '../reference/position.js';

export interface FactorExtents {
  readonly V: number;
  readonly N: number;
  readonly G: number;
  readonly F: number;
  readonly T: number;
}

/** `[v, n, g, f, t]` as it comes, positions before features, one position or one sample repeated, or rows with gaps. */
export type FactorLayout = 'contiguous' | 'positions first' | 'same at each position' | 'same for each sample' | 'gaps';

/** Numbers the operands of one call as its specs do. */
export interface OperandList {
  readonly reads: readonly Operand[];
  add(operand: Operand): number;
}

export function operandList(): OperandList {
  const reads: Operand[] = [];
  return { reads, add: (operand) => reads.push(operand) - 1 };
}

export function denseFactor(
  record: CaseRecorder,
  draw: Draw,
  list: OperandList,
  { V, N, G, F, T }: FactorExtents,
  layout: FactorLayout = 'contiguous',
): FactorSpec {
  const strides = {
    contiguous: { v: N * G * F * T, n: G * F * T, g: F * T, f: T, t: 1 },
    'positions first': { v: N * G * F * T, n: G * F * T, g: F, f: 1, t: G * F },
    'same at each position': { v: N * G * F, n: G * F, g: F, f: 1, t: 0 },
    'same for each sample': { v: G * F * T, n: 0, g: F * T, f: T, t: 1 },
    gaps: { v: N * G * F * (T + 3), n: G * F * (T + 3), g: F * (T + 3), f: T + 3, t: 1 },
  }[layout];
  const offset = draw.whole(0, 3);
  const read = list.add(record.input(draw.values(V * N * G * F * (T + 3) + offset), 'float64', offset));
  return { form: 'dense', read, V, N, G, F, T, strides };
}

export function unfoldedFactor(
  record: CaseRecorder,
  draw: Draw,
  list: OperandList,
  {
    V,
    N,
    G,
    C,
    window,
  }: { readonly V: number; readonly N: number; readonly G: number; readonly C: number; readonly window: Window },
): FactorSpec {
  const S = positions(window.input);
  const read = list.add(record.input(draw.values(V * N * G * C * S + 1), 'float64', 1));
  return {
    form: 'unfolded',
    read,
    V,
    N,
    G,
    F: C * positions(window.kernel),
    T: positions(window.output),
    strides: { v: N * G * C * S, n: G * C * S, g: C * S, c: S },
    window,
  };
}

export function viewOf(
  G: number,
  O: number,
  C: number,
  K: number,
  order: 'linear' | 'transposed' = 'linear',
): MatrixView {
  return {
    G,
    O,
    C,
    K,
    strides: order === 'transposed' ? { g: C * O * K, o: K, c: O * K, k: 1 } : { g: O * C * K, o: C * K, c: K, k: 1 },
  };
}

export interface RequestOptions {
  /** A result for each column, for each sample. */
  readonly perColumn?: boolean;
  readonly perSample?: boolean;
  readonly weighted?: boolean;
  readonly samples?: readonly number[];
  readonly cross?: readonly OuterTerm[];
  readonly accumulate?: boolean;
  /** Elements left alone between results. */
  readonly gap?: number;
}

export interface OuterRecorder {
  readonly record: CaseRecorder;
  readonly list: OperandList;
  request(form: OuterRequest['form'], from: number, to: number, options?: RequestOptions): void;
  finish(name: string, terms: readonly OuterTerm[]): ConformanceCase;
}

export function recordOuter(draw: Draw, N: number, size: number): OuterRecorder {
  const record = recordCase();
  const list = operandList();
  const writes: Operand[] = [];
  const requests: OuterRequest[] = [];
  return {
    record,
    list,
    request(
      form,
      from,
      to,
      { perColumn = false, perSample = false, weighted = false, samples, cross, accumulate = false, gap = 0 } = {},
    ) {
      const rows = samples?.length ?? N;
      const entries = (form === 'norm' ? 1 : size) + gap;
      const strides = { v: perColumn ? (perSample ? rows : 1) * entries : 0, n: perSample ? entries : 0 };
      const length = (perColumn ? to - from : 1) * (perSample ? rows : 1) * entries;
      const offset = draw.whole(0, 2);
      const weight = weighted ? list.add(record.input(draw.values((to - from) * N), 'float64')) : undefined;
      const chosen = samples && { list: list.add(record.input([0, ...samples], 'int32', 1)), count: samples.length };
      const into = writes.push(record.output(draw.values(length + offset + 1), 'float64', offset)) - 1;
      requests.push({
        form,
        from,
        to,
        into,
        strides,
        accumulate,
        ...(weight === undefined ? {} : { weight }),
        ...(chosen ? { samples: chosen } : {}),
        ...(cross ? { cross } : {}),
      });
    },
    finish(name, terms) {
      record.call('outer', { N, size, terms, requests }, list.reads, writes);
      return record.finish(`outer: ${name}`);
    },
  };
}
