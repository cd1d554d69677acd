import { describe, expect, it } from 'vitest';
import { philox } from '../src/kernels/random.js';
import { garbage, garbageIds, runKernel } from './run-kernel.js';

describe('gather and scatterAdd', () => {
  const spec = { V: 2, R: 1, S: 3, T: 2 };
  it('reads by index, the same for every column', async () => {
    expect(await runKernel('gather', spec, [[1, 2, 3, 4, 5, 6], { ids: [2, 0] }], [garbage(4)])).toEqual([
      [3, 1, 6, 4],
    ]);
  });
  it('adds what meets at one place', async () => {
    expect(await runKernel('scatterAdd', spec, [[1, 2, 3, 4], { ids: [1, 1] }], [garbage(6)])).toEqual([
      [0, 3, 0, 0, 7, 0],
    ]);
  });
});

describe('gatherRows', () => {
  it('gives a row for each id, zeros for the skipped one', async () => {
    const spec = { V: 1, J: 3, H: 2, words: 3, skip: 1 };
    expect(await runKernel('gatherRows', spec, [[1, 2, 3, 4, 5, 6], { ids: [2, 1, 0] }], [garbage(6)])).toEqual([
      [5, 6, 0, 0, 1, 2],
    ]);
  });
});

describe('clampIndices', () => {
  it('clamps and raises its bit', async () => {
    expect(
      await runKernel(
        'clampIndices',
        { length: 3, bound: 3, bit: 4 },
        [{ ids: [-1, 2, 3] }],
        [garbageIds(3), { ids: [1] }],
      ),
    ).toEqual([[0, 2, 2], [5]]);
  });
  it('keeps the flag where all is in range', async () => {
    expect(
      await runKernel('clampIndices', { length: 1, bound: 3, bit: 4 }, [{ ids: [1] }], [garbageIds(1), { ids: [2] }]),
    ).toEqual([[1], [2]]);
  });
});

describe('checkFinite', () => {
  it.each([
    [[1, 2], 1],
    [[1, Number.NaN], 3],
    [[Number.NEGATIVE_INFINITY, 0], 3],
  ] as const)('%s gives flag %i', async (x, flag) => {
    expect(await runKernel('checkFinite', { length: 2, bit: 2 }, [x], [{ ids: [1] }])).toEqual([[flag]]);
  });
});

describe('random', () => {
  // known answers of Random123 (kat_vectors, philox4x32 10)
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)('philox of counter %j under key %j', (counter, key, expected) => {
    const out = new Uint32Array(4);
    philox(counter, key, out);
    expect(Array.from(out)).toEqual(expected);
  });
  it('takes the words in order, as numbers between 0 and 1', async () => {
    const [u] = await runKernel(
      'random',
      { stream: 0, firstColumn: 0, V: 1, N: 1, P: 3 },
      [{ ids: [0, 0] }],
      [garbage(3)],
    );
    expect(u).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c].map((word) => ((word >>> 9) + 0.5) / 2 ** 23));
  });
  it('gives a column the same numbers wherever a chunk begins', async () => {
    const all = await runKernel(
      'random',
      { stream: 3, firstColumn: 0, V: 3, N: 2, P: 5 },
      [{ ids: [7, 8] }],
      [garbage(30)],
    );
    const last = await runKernel(
      'random',
      { stream: 3, firstColumn: 2, V: 1, N: 2, P: 5 },
      [{ ids: [7, 8] }],
      [garbage(10)],
    );
    expect(last[0]).toEqual(all[0]!.slice(20));
  });
});

describe('categorical', () => {
  it('draws the class where the running sum passes u', async () => {
    const p = [1, 2, 1];
    const draw = (u: number) => runKernel('categorical', { M: 1, N: 1, C: 3, P: 1 }, [p, [u]], [garbageIds(1)]);
    expect(await Promise.all([0.1, 0.3, 0.7, 0.8, 0.99].map(draw))).toEqual([[[0]], [[1]], [[1]], [[2]], [[2]]]);
  });
});
