import type { FactorSpec, Operand, OuterRequest, OuterTerm } from '@gradpack/core';
import { type ConformanceCase, type Draw, recordCase } from '@gradpack/testkit';
import { layoutOf, sizeOf, wholes } from './layouts.js';
import { viewOf } from './products.js';
import { windowOf } from './windows.js';

type Record = ReturnType<typeof recordCase>;
interface Reads {
  readonly all: Operand[];
  add(operand: Operand): number;
}
interface Extents {
  readonly V: number;
  readonly N: number;
  readonly G: number;
  readonly F: number;
  readonly T: number;
}

function readList(): Reads {
  const all: Operand[] = [];
  return { all, add: (operand) => all.push(operand) - 1 };
}

function dense(draw: Draw, record: Record, reads: Reads, { V, N, G, F, T }: Extents): FactorSpec {
  const { strides, offset, length } = layoutOf(draw, [V, N, G, F, T], { broadcast: true });
  const [v = 0, n = 0, g = 0, f = 0, t = 0] = strides;
  const read = reads.add(record.input(wholes(draw, length, 1), 'float64', offset));
  return { form: 'dense', read, V, N, G, F, T, strides: { v, n, g, f, t } };
}

/** A factor of C·K features over the positions of a window. */
function unfolded(draw: Draw, record: Record, reads: Reads, V: number, N: number, G: number, C: number): FactorSpec {
  const window = windowOf(draw);
  const S = sizeOf(window.input);
  const { strides, offset, length } = layoutOf(draw, [V, N, G, C], { broadcast: true });
  const [v = 0, n = 0, g = 0, c = 0] = strides.map((stride) => stride * S);
  const read = reads.add(record.input(wholes(draw, length * S, 1), 'float64', offset * S));
  const [F, T] = [C * sizeOf(window.kernel), sizeOf(window.output)];
  return { form: 'unfolded', read, V, N, G, F, T, strides: { v, n, g, c }, window };
}

/** What all terms of a call have in common. */
interface Whole {
  readonly V: number;
  readonly N: number;
  readonly size: number;
}

function matrix(draw: Draw, record: Record, reads: Reads, V: number, N: number): { term: OuterTerm; size: number } {
  const [G, O, C] = [draw.pick([1, 1, 2]), draw.pick([1, 2, 5, 17]), draw.pick([1, 2, 3, 18])];
  const [aV, uV] = draw.pick([
    [V, 1],
    [V, V],
    [1, V],
  ] as const);
  const u = draw.whole(0, 1)
    ? unfolded(draw, record, reads, uV, N, G, Math.min(C, 3))
    : dense(draw, record, reads, { V: uV, N, G, F: C, T: draw.pick([1, 1, 4, 33]) });
  const K = u.form === 'unfolded' ? sizeOf(u.window.kernel) : 1;
  const a = dense(draw, record, reads, { V: aV, N, G, F: O, T: u.T });
  return { term: { kind: 'matrix', a, u, view: viewOf(draw, G, O, u.F / K, K) }, size: G * O * u.F };
}

/** A term of another kind on the same θ. */
function termOf(draw: Draw, record: Record, reads: Reads, { V, N, size }: Whole): OuterTerm {
  const T = draw.pick([1, 1, 3]);
  const divisors = Array.from({ length: size }, (_, i) => i + 1).filter((f) => size % f === 0);
  const kind = draw.pick(['shift', 'scale', 'lookup', 'given'] as const);
  const factor = (F: number, G = 1): FactorSpec => dense(draw, record, reads, { V, N, G, F, T });
  switch (kind) {
    case 'shift': {
      const F = draw.pick(divisors);
      return { kind, a: factor(F, size / F) };
    }
    case 'scale':
      return { kind, a: factor(size), u: dense(draw, record, reads, { V: draw.pick([1, V]), N, G: 1, F: size, T }) };
    case 'lookup': {
      const F = draw.pick(divisors);
      const rows = reads.add(record.input(draw.ids(N * T, size / F), 'int32'));
      return { kind, a: factor(F), rows, ...(draw.whole(0, 1) ? { skip: draw.whole(0, size / F - 1) } : {}) };
    }
    case 'given': {
      const [v, n] = draw.whole(0, 1) ? [N * size, size] : [size, V * size];
      return { kind, read: reads.add(record.input(wholes(draw, V * N * size, 1))), V, strides: { v, n } };
    }
  }
}

export function outer(draw: Draw): ConformanceCase {
  const record = recordCase();
  const reads = readList();
  const [V, N] = [draw.pick([1, 1, 2, 3]), draw.pick([1, 2, 4, 7])];
  const first = draw.whole(0, 2)
    ? matrix(draw, record, reads, V, N)
    : (() => {
        const size = draw.pick([1, 4, 6, 30]);
        return { term: termOf(draw, record, reads, { V, N, size }), size };
      })();
  const { size } = first;
  const terms = [first.term];
  while (draw.whole(0, 3) === 0) terms.push(termOf(draw, record, reads, { V: draw.pick([1, V]), N, size }));

  const writes: Operand[] = [];
  const requests = Array.from({ length: draw.whole(1, 5) }, (): OuterRequest => {
    const form = draw.pick(['plain', 'square', 'norm', 'cross', 'centred'] as const);
    const centred = form === 'centred';
    const from = draw.whole(0, V - 1);
    const to = centred ? from + 1 : draw.whole(from + 1, V);
    const [perColumn, perSample] = [!centred && draw.whole(0, 1) === 1, !centred && draw.whole(0, 1) === 1];
    const count = draw.whole(0, 2) === 0 && form !== 'cross' ? draw.pick([1, 2, 4]) : undefined;
    // a power of two of samples: their mean is exact
    const samples =
      count === undefined ? {} : { samples: { list: reads.add(record.input(draw.ids(count, N), 'int32')), count } };
    const weighted = ['plain', 'square', 'norm'].includes(form) && draw.whole(0, 1) === 1;
    const weight = weighted ? { weight: reads.add(record.input(wholes(draw, (to - from) * N))) } : {};
    const entries = (form === 'norm' ? 1 : size) + draw.whole(0, 1);
    const rows = count ?? N;
    const strides = { v: perColumn ? (perSample ? rows : 1) * entries : 0, n: perSample ? entries : 0 };
    const length = (perColumn ? to - from : 1) * (perSample ? rows : 1) * entries;
    const offset = draw.whole(0, 2);
    const into = writes.push(record.output(wholes(draw, length + offset), 'float64', offset)) - 1;
    const cross =
      form === 'cross' ? { cross: [termOf(draw, record, reads, { V: draw.whole(1, to - from), N, size })] } : {};
    return { form, from, to, ...weight, ...samples, ...cross, into, strides, accumulate: draw.whole(0, 1) === 1 };
  });
  record.call('outer', { N, size, terms, requests }, reads.all, writes);
  return record.finish('outer');
}

export function gram(draw: Draw): ConformanceCase {
  const record = recordCase();
  const reads = readList();
  const [V, N, G] = [draw.pick([1, 2]), draw.pick([1, 3, 8]), draw.pick([1, 1, 2])];
  const first = draw.whole(0, 1)
    ? unfolded(draw, record, reads, V, N, G, draw.whole(1, 3))
    : dense(draw, record, reads, { V, N, G, F: draw.pick([1, 3, 8, 17, 40]), T: draw.pick([1, 1, 5, 40]) });
  const { F } = first;
  const factors = [first];
  if (draw.whole(0, 3) === 0)
    factors.push(dense(draw, record, reads, { V: draw.pick([1, V]), N, G, F, T: draw.pick([1, first.T]) }));
  // position by position each factor has its own, summed they have to be as many samples
  const from = draw.whole(0, V - 1);
  const to = draw.whole(from + 1, V + 1);
  const offset = draw.whole(0, 2);
  record.call(
    'gram',
    {
      factors,
      positions: draw.pick(['each', 'sum'] as const),
      from,
      to,
      scale: draw.pick([1, 0.25]),
      accumulate: draw.whole(0, 1) === 1,
    },
    reads.all,
    [record.output(wholes(draw, G * F * F + offset), 'float64', offset)],
  );
  return record.finish('gram');
}
