import { type ConformanceCase, recordCase } from '../conformance-case.js';
import type { Draw } from '../draw.js';

export function randomCases(draw: Draw): readonly ConformanceCase[] {
  const one = (
    seed: number,
    step: number,
    stream: number,
    firstColumn: number,
    [V, N, P]: readonly [number, number, number],
  ): ConformanceCase => {
    const record = recordCase();
    record.call(
      'random',
      { stream, firstColumn, V, N, P },
      [record.input([77, seed, step], 'int32', 1)],
      [record.output(draw.values(V * N * P + 2), 'float64', 1)],
    );
    return record.finish(
      `random: seed ${seed}, step ${step}, stream ${stream}, columns from ${firstColumn}, ${[V, N, P].join('×')}`,
    );
  };
  return [
    one(0, 0, 0, 0, [1, 1, 1]),
    one(0, 1, 2, 0, [2, 3, 9]),
    one(-1, 2_147_483_647, 5, 3, [2, 2, 4]),
    one(123_456_789, -2_147_483_648, 4_000_000_000, 7, [1, 5, 6]),
    one(42, 3, 1, 1, [3, 20, 33]),
  ];
}

/** p and u are dyadic, so that sums are exact and no draw falls on a border. */
export function categoricalCases(draw: Draw): readonly ConformanceCase[] {
  const shapes = [
    [1, 1, 1, 1],
    [1, 8, 3, 1],
    [3, 5, 4, 6],
    [2, 40, 10, 1],
    [1, 2, 100, 3],
  ] as const;
  const drawn = shapes.map(([M, N, C, P]) => {
    const record = recordCase();
    const p = Float64Array.from(draw.ids(N * C * P, 16), (x) => x / 16);
    // each distribution has some mass
    for (let n = 0; n < N; n++) for (let q = 0; q < P; q++) p[(n * C + draw.whole(0, C - 1)) * P + q] = 0.5;
    const u = Float64Array.from(draw.ids(M * N * P, 512), (x) => (x + 0.5) / 512);
    record.call(
      'categorical',
      { M, N, C, P },
      [record.input([0, ...p], 'float64', 1), record.input(u)],
      [record.output(draw.ids(M * N * P + 1, 7), 'int32', 1)],
    );
    return record.finish(`categorical: ${[M, N, C, P].join('×')}`);
  });
  const certain = recordCase();
  certain.call(
    'categorical',
    { M: 1, N: 3, C: 3, P: 1 },
    [certain.input([1, 0, 0, 0, 0, 1, 0, 0, 0]), certain.input([0.999, 2 ** -24, 0.5])],
    [certain.fresh(3, 'result', 'int32')],
  );
  return [...drawn, certain.finish('categorical: certain classes, and none')];
}
