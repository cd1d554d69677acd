import { afterAll, describe, expect, test } from 'vitest';
import { disagreement } from '../../benchmarks/agreement.js';
import type { Implementation, Subject } from '../../benchmarks/implementation.js';
import { OWN, PEERS } from '../../benchmarks/implementations/index.js';
import { measure } from '../../benchmarks/measure.js';
import { parseOptions } from '../../benchmarks/options.js';
import { benchmarksPage } from '../../benchmarks/page.js';
import { PROBLEMS } from '../../benchmarks/problems/index.js';
import { mlp } from '../../benchmarks/problems/mlp.js';
import { QUANTITIES } from '../../benchmarks/quantities.js';
import avx2 from '../../benchmarks/results/avx2.json' with { type: 'json' };
import avx512 from '../../benchmarks/results/avx512.json' with { type: 'json' };
import { type Results, type Row, toJson } from '../../benchmarks/results.js';
import { tableOf } from '../../benchmarks/table.js';

const here = (all: readonly Implementation[]) => all.filter(({ missing }) => !missing);
const own = here(OWN);
const small = { ...mlp, batch: 4 };
const options = { seconds: 0, limit: 60 };

afterAll(async () => {
  for (const { close } of PEERS) await close?.();
});

describe('measuring', () => {
  test.each(['gradient', 'BatchGrad', 'KFAC', 'HessianVectorProduct'] as const)(
    '%s of a small mlp, also by the peers that are installed',
    { timeout: 180_000 },
    async (quantity) => {
      const { rows, faults } = await measure(small, quantity, [...own, ...here(PEERS)], options);
      expect(faults).toEqual([]);
      for (const row of rows) {
        expect(row).toMatchObject({ problem: 'mlp', batch: 4, quantity });
        expect(row.minMs).toBeGreaterThan(0);
        expect(row.medianMs).toBeGreaterThanOrEqual(row.minMs);
      }
      // the parameters alone are 407 kB
      for (const { name } of own)
        expect(rows.find(({ implementation }) => implementation === name)?.peakBytes).toBeGreaterThan(4 * 784 * 128);
    },
  );

  test('leaves out what disagrees with the first, and says so', async () => {
    const wrong = changed('wrong', (subject) => ({
      ...subject,
      results: async () => new Map([['gradient 0.weight', [1]]]),
    }));
    const { rows, faults } = await measure(small, 'gradient', [...own, wrong], options);
    expect(rows).toHaveLength(own.length);
    expect(faults).toEqual([`mlp gradient on wrong: 1 results, expected 4`]);
  });

  test('leaves out what fails, and says so', async () => {
    const fails = changed('fails', (subject) => ({ ...subject, results: () => Promise.reject(new Error('no rule')) }));
    expect((await measure(small, 'gradient', [...own, fails], options)).faults).toEqual([
      'mlp gradient on fails: no rule',
    ]);
  });

  test('leaves out what would take too long: exact curvature about as many gradients as classes', async () => {
    const slow = changed('slow', (subject) => ({ ...subject, turn: async () => [7000] }));
    const { skipped } = await measure(small, 'KFLR', [...own, slow], options);
    expect(skipped).toEqual(['mlp KFLR on slow: about 70 s a step']);
  });

  /** The first implementation in disguise. */
  function changed(name: string, change: (subject: Subject) => Subject): Implementation {
    const [first] = own;
    const prepare: Implementation['prepare'] = async (...args) => {
      const subject = await first!.prepare(...args);
      return subject && change(subject);
    };
    return { name, threads: 1, prepare };
  }
});

describe('agreement', () => {
  const compare = (expected: number[], actual: number[]) =>
    disagreement(new Map([['weight', expected]]), new Map([['weight', actual]]));

  test.each([
    ['a number', [1, 2], [1, 2.001]],
    ['a NaN', [1, 2], [1, Number.NaN]],
    ['the length', [1, 2], [1]],
  ])('%s differs', (_, expected, actual) => {
    expect(compare(expected, actual)).toMatch('weight differs by');
  });

  test('rounding does not matter', () => {
    expect(compare([1, 2], [1, 2.00001])).toBeUndefined();
  });

  test('a result more or under another name matters', () => {
    expect(disagreement(new Map([['weight', [1]]]), new Map())).toBe('0 results, expected 1');
    expect(disagreement(new Map([['weight', [1]]]), new Map([['bias', [1]]]))).toMatch('weight differs by');
  });
});

describe('options', () => {
  const peers: readonly Implementation[] = PEERS.map(({ missing: _, ...peer }) => peer);
  const absent = peers.map((peer) => (peer.name === 'tfjs' ? { ...peer, missing: 'install it' } : peer));
  const peersOf = (args: readonly string[], all = absent) => parseOptions(args, all).peers.map(({ name }) => name);

  test('everything that is installed, when nothing is said', () => {
    const { problems, quantities } = parseOptions([]);
    expect([problems, quantities]).toEqual([PROBLEMS, QUANTITIES]);
    expect(peersOf([])).toEqual(['torch', 'torch.func', 'backpack', 'jax-js']);
  });

  test('peers in Python bring the gradient of PyTorch', () => {
    expect(peersOf(['--peers', 'torch'])).toEqual(['torch']);
    expect(peersOf(['--peers', 'jax-js,backpack'])).toEqual(['torch', 'backpack', 'jax-js']);
    expect(peersOf(['--peers', 'none'])).toEqual([]);
  });

  test('seconds and limit, of their own or quick', () => {
    expect(parseOptions(['--quick'])).toMatchObject({ seconds: 1, limit: 4 });
    expect(parseOptions(['--quick', '--seconds', '2'])).toMatchObject({ seconds: 2, limit: 4 });
  });

  test.each([
    [['--problem', 'lenet'], '--problem is one of logreg, mlp, 2c2d, 3c3d, allcnnc, not lenet'],
    [['--quantity', 'KFRA'], '--quantity is one of gradient'],
    [['--peers', 'jax'], '--peers is one of torch, torch.func, backpack, jax-js, tfjs, not jax'],
    [['--peers', 'tfjs'], 'tfjs is not installed: install it'],
    [['--seconds', 'many'], '--seconds is a number, not many'],
  ])('%j is refused', (args, message) => {
    expect(() => parseOptions(args, absent)).toThrow(message);
  });
});

describe('what is written', () => {
  const row = { problem: 'mlp', batch: 4, minMs: 1, steps: 9, gradientMs: 2, threads: 2 } as const;
  const rows: readonly Row[] = [
    { ...row, quantity: 'gradient', implementation: 'gradpack/native', medianMs: 2, peakBytes: 3e6 },
    {
      ...row,
      quantity: 'KFAC',
      implementation: 'gradpack/native',
      medianMs: 5.123456789,
      peakBytes: 4e6,
      torchGradientMs: 1,
    },
    { ...row, quantity: 'KFAC', implementation: 'backpack', medianMs: 20, gradientMs: 1, torchGradientMs: 1 },
  ];
  const results: Results = { machine: avx512.machine, versions: { backpack: '1.7.1' }, rows };

  test('a table of a problem, without columns that have no value', () => {
    expect(tableOf(rows)).toMatchInlineSnapshot(`
      "| quantity |  N | implementation  |   ms |  min | × own gradient | × torch's gradient | × BackPACK | MB |
      | :-       | -: | :-              |   -: |   -: |             -: |                 -: |         -: | -: |
      | gradient |  4 | gradpack/native | 2.00 | 1.00 |           1.00 |                    |            |  3 |
      | KFAC     |  4 | gradpack/native | 5.12 | 1.00 |           2.56 |               5.12 |      0.256 |  4 |
      |          |    | backpack        | 20.0 | 1.00 |           20.0 |               20.0 |       1.00 |    |"
    `);
  });

  test('JSON has a row a line and five digits', () => {
    const text = toJson(results);
    expect(JSON.parse(text).rows[1].medianMs).toBe(5.1235);
    expect(text.split('\n').filter((line) => line.includes('"problem"'))).toHaveLength(rows.length);
    expect(Object.keys(JSON.parse(text))).toEqual(['machine', 'versions', 'rows']);
  });

  test('the page in docs/guide is the recorded results', async () => {
    await expect(benchmarksPage(avx512 as Results, avx2 as Results)).toMatchFileSnapshot(
      '../../docs/guide/benchmarks.md',
    );
  });
});
