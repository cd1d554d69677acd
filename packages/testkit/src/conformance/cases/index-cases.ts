import { type ConformanceCase, recordCase } from '../conformance-case.js';
import type { Draw } from '../draw.js';

export function indexCases(draw: Draw): readonly ConformanceCase[] {
  const shapes = [
    [1, 1, 1, 1],
    [1, 5, 7, 3],
    [3, 4, 6, 9],
    [2, 3, 5, 1],
    [2, 60, 49, 50],
  ] as const;
  return shapes.flatMap(([V, R, S, T]) => {
    const gather = recordCase();
    gather.call(
      'gather',
      { V, R, S, T },
      [gather.input(draw.values(V * R * S + 1), 'float64', 1), gather.input(draw.ids(R * T + 2, S), 'int32', 2)],
      [gather.output(draw.values(V * R * T + 1), 'float64', 1)],
    );
    const scatter = recordCase();
    scatter.call(
      'scatterAdd',
      { V, R, S, T },
      [scatter.input(draw.values(V * R * T)), scatter.input(draw.ids(R * T, S), 'int32')],
      [scatter.output(draw.values(V * R * S + 1), 'float64', 1)],
    );
    return [
      gather.finish(`gather: ${[V, R, S, T].join('×')}`),
      scatter.finish(`scatterAdd: ${[V, R, S, T].join('×')}`),
    ];
  });
}

export function gatherRowsCases(draw: Draw): readonly ConformanceCase[] {
  const shapes = [
    [1, 1, 1, 1, undefined],
    [1, 9, 4, 6, undefined],
    [3, 7, 5, 4, 2],
    [2, 40, 33, 10, 0],
    [1, 3, 1, 1, 0],
  ] as const;
  return shapes.map(([V, J, H, words, skip]) => {
    const record = recordCase();
    const spec = { V, J, H, words, ...(skip === undefined ? {} : { skip }) };
    record.call(
      'gatherRows',
      spec,
      [record.input(draw.values(V * words * H + 1), 'float64', 1), record.input(draw.ids(J + 1, words), 'int32', 1)],
      [record.output(draw.values(V * J * H + 2), 'float64', 2)],
    );
    return record.finish(`gatherRows: ${[V, J, H, words].join('×')}${skip === undefined ? '' : `, skip ${skip}`}`);
  });
}

export function flagCases(draw: Draw): readonly ConformanceCase[] {
  const clamp = (name: string, ids: readonly number[], before: number): ConformanceCase => {
    const record = recordCase();
    record.call(
      'clampIndices',
      { length: ids.length, bound: 5, bit: 4 },
      [record.input([99, ...ids], 'int32', 1)],
      [record.output(draw.ids(ids.length + 1, 9), 'int32', 1), record.output([7, before, 7], 'int32', 1)],
    );
    return record.finish(`clampIndices: ${name}`);
  };
  const finite = (name: string, values: ArrayLike<number>, before: number): ConformanceCase => {
    const record = recordCase();
    record.call(
      'checkFinite',
      { length: values.length, bit: 2 },
      [record.input([Number.NaN, ...Array.from(values)], 'float64', 1)],
      [record.output([before, 7], 'int32')],
    );
    return record.finish(`checkFinite: ${name}`);
  };
  const late = draw.values(3000);
  late[2999] = Number.NaN;
  return [
    clamp('all in range', [0, 4, 2, 3], 0),
    clamp('all in range keeps the flag', [0, 4, 2, 3], 9),
    clamp('too large', [0, 5, 1_000_000, 2_147_483_647], 1),
    clamp('negative', [-1, 3, -2_147_483_648], 0),
    clamp('the bit was set', [-1], 5),
    finite('finite', draw.values(300), 0),
    finite('finite keeps the flag', draw.values(3), 5),
    finite('NaN', [0, Number.NaN], 1),
    finite('infinity', [Number.POSITIVE_INFINITY, 1], 0),
    finite('minus infinity alone', [Number.NEGATIVE_INFINITY], 2),
    finite('the last of many', late, 0),
    finite('the largest float32', [3.4028234663852886e38, -3.4028234663852886e38], 0),
  ];
}
