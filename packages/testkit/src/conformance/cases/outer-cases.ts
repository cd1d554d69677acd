import type { OuterTerm } from '@gradpack/core';
import type { ConformanceCase } from '../conformance-case.js';
import type { Draw } from '../draw.js';
import { positions } from '../reference/position.js';
import {
  denseFactor,
  type FactorLayout,
  type OuterRecorder,
  recordOuter,
  unfoldedFactor,
  viewOf,
} from './outer-recorder.js';
import { transposedWindowOf, WINDOWS, windowOf } from './windows.js';

type TermKind = OuterTerm['kind'];
interface TermExtents {
  readonly V: number;
  readonly N: number;
  readonly T: number;
  /** θ is [O, I]. */
  readonly O: number;
  readonly I: number;
}

/** A term of a θ of O·I entries, of any kind. */
function termOf(
  kind: TermKind,
  { record, list }: OuterRecorder,
  draw: Draw,
  { V, N, T, O, I }: TermExtents,
  a: FactorLayout = 'contiguous',
  u: FactorLayout = 'contiguous',
  uV = 1,
): OuterTerm {
  const factor = (F: number, layout: FactorLayout, columns: number): ReturnType<typeof denseFactor> =>
    denseFactor(record, draw, list, { V: columns, N, G: 1, F, T }, layout);
  switch (kind) {
    case 'matrix':
      return { kind, a: factor(O, a, V), u: factor(I, u, uV), view: viewOf(1, O, I, 1) };
    case 'shift':
      return { kind, a: factor(O * I, a, V) };
    case 'scale':
      return { kind, a: factor(O * I, a, V), u: factor(O * I, u, uV) };
    case 'lookup':
      return {
        kind,
        a: factor(I, a, V),
        rows: list.add(record.input(draw.ids(N * T + 1, O), 'int32', 1)),
        ...(draw.whole(0, 1) ? { skip: draw.whole(0, O - 1) } : {}),
      };
    case 'given': {
      const read = list.add(record.input(draw.values(V * N * O * I + 2), 'float64', 2));
      return { kind, read, V, strides: { v: N * O * I, n: O * I } };
    }
  }
}

const KINDS: readonly TermKind[] = ['matrix', 'shift', 'scale', 'lookup', 'given'];

/** Every form of request, on column ranges that overlap and stick out. */
function allRequests(
  recorder: OuterRecorder,
  draw: Draw,
  V: number,
  N: number,
  cross: () => readonly OuterTerm[],
): void {
  const later = V > 1 ? 1 : 0;
  const samples = [0, N - 1, 0, draw.whole(0, N - 1)];
  recorder.request('plain', 0, 1);
  recorder.request('plain', 0, 1, { perSample: true });
  recorder.request('plain', later, V, { perColumn: true, perSample: true, samples });
  recorder.request('plain', 0, V, { perColumn: true, weighted: true, accumulate: true });
  recorder.request('square', 0, 1);
  recorder.request('square', later, V, { weighted: true, accumulate: true });
  recorder.request('square', later, V, { perSample: true, weighted: true });
  recorder.request('square', 0, V, { perColumn: true, samples, gap: 2 });
  recorder.request('norm', 0, 1, { perSample: true });
  recorder.request('norm', 0, V, { perColumn: true, perSample: true, weighted: true, accumulate: true, gap: 1 });
  recorder.request('norm', 0, V);
  recorder.request('norm', 0, 1, { perSample: true, samples });
  recorder.request('centred', 0, 1);
  recorder.request('centred', V - 1, V, { accumulate: true });
  recorder.request('cross', later, V, { cross: cross() });
  recorder.request('cross', 0, 1, { cross: cross(), perSample: true, accumulate: true });
}

function kindCases(draw: Draw): readonly ConformanceCase[] {
  const extents = [
    { V: 1, N: 1, T: 1, O: 1, I: 1 },
    { V: 1, N: 5, T: 1, O: 4, I: 6 },
    { V: 3, N: 4, T: 1, O: 3, I: 5 },
    { V: 3, N: 2, T: 7, O: 4, I: 3 },
    { V: 2, N: 1, T: 3, O: 1, I: 9 },
    { V: 2, N: 3, T: 2, O: 7, I: 1 },
  ];
  return KINDS.flatMap((kind) =>
    extents.map((e) => {
      const recorder = recordOuter(draw, e.N, e.O * e.I);
      const terms = [termOf(kind, recorder, draw, e)];
      allRequests(recorder, draw, e.V, e.N, () => [termOf(kind, recorder, draw, { ...e, V: 1 })]);
      return recorder.finish(`${kind}, V ${e.V}, N ${e.N}, T ${e.T}, θ ${e.O}×${e.I}, every request`, terms);
    }),
  );
}

function layoutCases(draw: Draw): readonly ConformanceCase[] {
  const layouts: readonly FactorLayout[] = [
    'contiguous',
    'positions first',
    'same at each position',
    'same for each sample',
    'gaps',
  ];
  const e = { V: 2, N: 3, T: 5, O: 6, I: 4 };
  return (['matrix', 'shift', 'scale', 'lookup'] as const).flatMap((kind) =>
    layouts.flatMap((a, i) => {
      const u = layouts[(i + 2) % layouts.length] as FactorLayout;
      return [1, 2].map((uV) => {
        const recorder = recordOuter(draw, e.N, e.O * e.I);
        const terms = [termOf(kind, recorder, draw, e, a, u, uV)];
        recorder.request('plain', 0, 2);
        recorder.request('plain', 1, 2, { perSample: true });
        recorder.request('square', 0, 2);
        recorder.request('norm', 0, 2, { perSample: true, perColumn: true });
        return recorder.finish(`${kind}, a ${a}, u ${u}, u.V ${uV}`, terms);
      });
    }),
  );
}

/** Ties: terms of several kinds and column counts are summed before they are squared. */
function tiedCases(draw: Draw): readonly ConformanceCase[] {
  const combinations: readonly (readonly TermKind[])[] = [
    ['matrix', 'matrix'],
    ['matrix', 'lookup'],
    ['matrix', 'given'],
    ['shift', 'shift'],
    ['scale', 'shift'],
    ['scale', 'scale', 'given'],
    ['lookup', 'lookup'],
    ['matrix', 'shift', 'scale', 'lookup', 'given'],
  ];
  return combinations.flatMap((kinds) =>
    [1, 4].map((T) => {
      const e = { V: 3, N: 3, T, O: 4, I: 5 };
      const recorder = recordOuter(draw, e.N, 20);
      // each term ends at its own column and has its own number of positions
      const terms = kinds.map((kind, i) =>
        termOf(kind, recorder, draw, {
          ...e,
          V: [3, 1, 2][i % 3] as number,
          T: kind === 'given' ? 1 : T + (T > 1 ? i : 0),
        }),
      );
      allRequests(recorder, draw, 3, e.N, () => [
        termOf('matrix', recorder, draw, { ...e, V: 2 }),
        termOf('given', recorder, draw, { ...e, V: 1 }),
      ]);
      return recorder.finish(`${kinds.join(' + ')}, T ${T}`, terms);
    }),
  );
}

function convolutionalCases(draw: Draw): readonly ConformanceCase[] {
  const windows = [...Object.entries(WINDOWS), ['2 axes, larger', windowOf([9, 9], [3, 3], { low: [1, 1] })] as const];
  return windows.flatMap(([name, window], i) => {
    const [V, N, G, O, C] = [1 + (i % 3), 2, 1 + (i % 2), 3, 2];
    const K = positions(window.kernel);
    const T = positions(window.output);
    const recorder = recordOuter(draw, N, G * O * C * K);
    const { record, list } = recorder;
    const order = window.transposed ? 'transposed' : 'linear';
    const termAt = (columns: number): OuterTerm => ({
      kind: 'matrix',
      a: denseFactor(record, draw, list, { V: columns, N, G, F: O, T }),
      u: unfoldedFactor(record, draw, list, { V: 1, N, G, C, window }),
      view: viewOf(G, O, C, K, order),
    });
    const terms = [termAt(V)];
    allRequests(recorder, draw, V, N, () => [termAt(1)]);
    return [recorder.finish(`unfolded, ${name}, G ${G}, V ${V}`, terms)];
  });
}

function specialCases(draw: Draw): readonly ConformanceCase[] {
  const unfoldedColumns = recordOuter(draw, 2, 3 * 2 * 4);
  const window = windowOf([5, 4], [2, 2]);
  const T = positions(window.output);
  const unfoldedTerm: OuterTerm = {
    kind: 'matrix',
    a: denseFactor(unfoldedColumns.record, draw, unfoldedColumns.list, { V: 1, N: 2, G: 1, F: 3, T }),
    u: unfoldedFactor(unfoldedColumns.record, draw, unfoldedColumns.list, { V: 3, N: 2, G: 1, C: 2, window }),
    view: viewOf(1, 3, 2, 4),
  };
  allRequests(unfoldedColumns, draw, 3, 2, () => [unfoldedTerm]);

  const unfoldedBoth = recordOuter(draw, 2, 8 * 8);
  const both: OuterTerm = {
    kind: 'matrix',
    a: unfoldedFactor(unfoldedBoth.record, draw, unfoldedBoth.list, { V: 2, N: 2, G: 1, C: 2, window }),
    u: unfoldedFactor(unfoldedBoth.record, draw, unfoldedBoth.list, { V: 2, N: 2, G: 1, C: 2, window }),
    view: { G: 1, O: 8, C: 2, K: 4, strides: { g: 0, o: 8, c: 4, k: 1 } },
  };
  allRequests(unfoldedBoth, draw, 2, 2, () => [both]);

  const tiedConvolutions = recordOuter(draw, 2, 3 * 2 * 4);
  const transposed = transposedWindowOf([3, 3], [2, 2], [2, 2], [0, 0], [1, 1], [0, 0]);
  const convolutions = [window, windowOf([4, 4], [2, 2], { low: [1, 1] }), transposed].map(
    (w, i): OuterTerm => ({
      kind: 'matrix',
      a: denseFactor(tiedConvolutions.record, draw, tiedConvolutions.list, {
        V: 1 + i,
        N: 2,
        G: 1,
        F: 3,
        T: positions(w.output),
      }),
      u: unfoldedFactor(tiedConvolutions.record, draw, tiedConvolutions.list, { V: 1, N: 2, G: 1, C: 2, window: w }),
      view: viewOf(1, 3, 2, 4, w.transposed ? 'transposed' : 'linear'),
    }),
  );
  allRequests(tiedConvolutions, draw, 3, 2, () => convolutions.slice(1));

  const groups = recordOuter(draw, 3, 2 * 3 * 4);
  const grouped: readonly OuterTerm[] = [
    {
      kind: 'matrix',
      a: denseFactor(groups.record, draw, groups.list, { V: 2, N: 3, G: 2, F: 3, T: 1 }, 'positions first'),
      u: denseFactor(groups.record, draw, groups.list, { V: 1, N: 3, G: 2, F: 4, T: 1 }),
      view: viewOf(2, 3, 4, 1),
    },
    { kind: 'shift', a: denseFactor(groups.record, draw, groups.list, { V: 1, N: 3, G: 2, F: 12, T: 2 }) },
  ];
  allRequests(groups, draw, 2, 3, () => grouped);
  return [
    unfoldedColumns.finish('unfolded per column, one a', [unfoldedTerm]),
    unfoldedBoth.finish('both factors unfolded', [both]),
    tiedConvolutions.finish('tied convolutions, one transposed', convolutions),
    groups.finish('groups, tied', grouped),
    beyondColumns(draw),
    cancelling(draw),
  ];
}

/** Requests on columns that no term has are 0. */
function beyondColumns(draw: Draw): ConformanceCase {
  const e = { V: 2, N: 3, T: 2, O: 4, I: 3 };
  const recorder = recordOuter(draw, e.N, 12);
  const terms = [termOf('matrix', recorder, draw, e), termOf('given', recorder, draw, { ...e, V: 1 })];
  recorder.request('plain', 1, 5, { perColumn: true });
  recorder.request('square', 2, 4);
  recorder.request('norm', 3, 4, { perSample: true });
  recorder.request('centred', 4, 5);
  recorder.request('plain', 2, 3, { perSample: true, accumulate: true });
  return recorder.finish('columns beyond the terms', terms);
}

/** Individual gradients that hardly differ: a difference of moments would cancel, negative variances would show. */
function cancelling(draw: Draw): ConformanceCase {
  const recorder = recordOuter(draw, 6, 12);
  const { record, list } = recorder;
  const level = (length: number): Float64Array => Float64Array.from(draw.values(length, 1, 1.25));
  const factor = (F: number): OuterTerm & { kind: 'shift' } => ({
    kind: 'shift',
    a: {
      form: 'dense',
      read: list.add(record.input(level(6 * F * 2))),
      V: 1,
      N: 6,
      G: 1,
      F,
      T: 2,
      strides: { v: 0, n: F * 2, g: 0, f: 2, t: 1 },
    },
  });
  const term: OuterTerm = { kind: 'matrix', a: factor(3).a, u: factor(4).a, view: viewOf(1, 3, 4, 1) };
  recorder.request('centred', 0, 1);
  recorder.request('plain', 0, 1);
  return recorder.finish('variance beside a large mean', [term]);
}

function largeCases(draw: Draw): readonly ConformanceCase[] {
  const dense = (name: string, e: TermExtents): ConformanceCase => {
    const recorder = recordOuter(draw, e.N, e.O * e.I);
    const terms = [termOf('matrix', recorder, draw, e)];
    recorder.request('plain', 0, 1);
    recorder.request('plain', 0, 1, { perSample: true });
    recorder.request('square', 0, e.V);
    recorder.request('norm', 0, 1, { perSample: true });
    recorder.request('centred', 0, 1);
    return recorder.finish(name, terms);
  };
  const gradient = (name: string, e: TermExtents, a: FactorLayout): ConformanceCase => {
    const recorder = recordOuter(draw, e.N, e.O * e.I);
    const terms = [termOf('matrix', recorder, draw, e, a)];
    recorder.request('plain', 0, 1);
    return recorder.finish(name, terms);
  };
  return [
    dense('over tile borders, T 1', { V: 2, N: 9, T: 1, O: 37, I: 45 }),
    dense('over tile borders, T 33', { V: 2, N: 3, T: 33, O: 35, I: 29 }),
    gradient('gradient alone, T 1', { V: 1, N: 40, T: 1, O: 21, I: 50 }, 'contiguous'),
    gradient('gradient alone, T 6', { V: 1, N: 7, T: 6, O: 21, I: 30 }, 'contiguous'),
    gradient('gradient alone, positions first', { V: 1, N: 7, T: 6, O: 21, I: 30 }, 'positions first'),
  ];
}

export function outerCases(draw: Draw): readonly ConformanceCase[] {
  return [
    ...kindCases(draw),
    ...layoutCases(draw),
    ...tiedCases(draw),
    ...convolutionalCases(draw),
    ...specialCases(draw),
    ...largeCases(draw),
  ];
}
