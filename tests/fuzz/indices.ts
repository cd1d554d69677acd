import { type ConformanceCase, type Draw, recordCase } from '@gradpack/testkit';
import { wholes } from './layouts.js';

export function index(draw: Draw): ConformanceCase {
  const record = recordCase();
  const [V, R, S, T] = [draw.whole(1, 3), draw.whole(1, 5), draw.whole(1, 40), draw.whole(1, 40)];
  const kernel = draw.pick(['gather', 'scatterAdd'] as const);
  const [from, to] = kernel === 'gather' ? [S, T] : [T, S];
  record.call(
    kernel,
    { V, R, S, T },
    [record.input(wholes(draw, V * R * from)), record.input(draw.ids(R * T, S), 'int32')],
    [record.output(wholes(draw, V * R * to))],
  );
  return record.finish(kernel);
}

export function gatherRows(draw: Draw): ConformanceCase {
  const record = recordCase();
  const [V, J, H, words] = [draw.whole(1, 3), draw.whole(1, 30), draw.whole(1, 20), draw.whole(1, 9)];
  const skip = draw.whole(0, 1) ? { skip: draw.whole(0, words - 1) } : {};
  record.call(
    'gatherRows',
    { V, J, H, words, ...skip },
    [record.input(wholes(draw, V * words * H)), record.input(draw.ids(J, words), 'int32')],
    [record.output(wholes(draw, V * J * H))],
  );
  return record.finish('gatherRows');
}

export function random(draw: Draw): ConformanceCase {
  const record = recordCase();
  const [V, N, P] = [draw.whole(1, 3), draw.whole(1, 5), draw.whole(1, 70)];
  record.call(
    'random',
    { stream: draw.whole(0, 1e6), firstColumn: draw.whole(0, 50), V, N, P },
    [record.input([draw.whole(-(2 ** 31), 2 ** 31 - 1), draw.whole(0, 1e6)], 'int32')],
    [record.output(wholes(draw, V * N * P))],
  );
  return record.finish('random');
}

export function categorical(draw: Draw): ConformanceCase {
  const record = recordCase();
  const [M, N, C, P] = [draw.whole(1, 3), draw.whole(1, 5), draw.whole(1, 12), draw.whole(1, 9)];
  record.call(
    'categorical',
    { M, N, C, P },
    [
      record.input(Float64Array.from({ length: N * C * P }, () => draw.whole(0, 4))),
      record.input(Float64Array.from({ length: M * N * P }, () => draw.whole(1, 7) / 8)),
    ],
    [record.output(wholes(draw, M * N * P), 'int32')],
  );
  return record.finish('categorical');
}

export function flags(draw: Draw): ConformanceCase {
  const record = recordCase();
  const length = draw.whole(1, 90);
  const bit = draw.pick([1, 2, 1024]);
  const flag = record.output([draw.whole(0, 3)], 'int32');
  if (draw.whole(0, 1)) {
    const x = wholes(draw, length);
    if (draw.whole(0, 1)) x[draw.whole(0, length - 1)] = draw.pick([Number.NaN, Number.POSITIVE_INFINITY]);
    record.call('checkFinite', { length, bit }, [record.input(x)], [flag]);
    return record.finish('checkFinite');
  }
  record.call(
    'clampIndices',
    { length, bound: draw.whole(1, 9), bit },
    [record.input(wholes(draw, length, draw.pick([3, 2 ** 31 - 1])), 'int32')],
    [record.output(wholes(draw, length), 'int32'), flag],
  );
  return record.finish('clampIndices');
}
