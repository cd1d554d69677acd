import { expect, test } from 'vitest';
import { requireAgreement } from '../../benchmarks/agreement.js';
import { IMPLEMENTATIONS } from '../../benchmarks/implementations/index.js';
import { measure } from '../../benchmarks/measure.js';
import { mlp } from '../../benchmarks/problems/mlp.js';
import { tableOf } from '../../benchmarks/table.js';

const implementations = IMPLEMENTATIONS.filter(({ missing }) => !missing);
const small = { ...mlp, batch: 4 };

test.each(['gradient', 'KFAC', 'HessianVectorProduct'] as const)('%s of a small mlp is measured', async (quantity) => {
  const rows = await measure(small, quantity, implementations, { seconds: 0 });
  expect(rows.map(({ implementation }) => implementation)).toEqual(implementations.map(({ name }) => name));
  for (const row of rows) {
    expect(row).toMatchObject({ problem: 'mlp', batch: 4, quantity });
    expect(row.minMs).toBeGreaterThan(0);
    expect(row.medianMs).toBeGreaterThanOrEqual(row.minMs);
    // the parameters alone are 407 kB
    expect(row.peakBytes).toBeGreaterThan(4 * (784 * 128 + 128 * 10));
  }
  expect(tableOf(rows)).toContain(`| ${quantity} `);
});

test.each([
  ['a number', [1, 2], [1, 2.001]],
  ['a NaN', [1, 2], [1, Number.NaN]],
  ['the length', [1, 2], [1]],
])('implementations that differ in %s are not timed', (_, expected, actual) => {
  const compare = () => requireAgreement('mlp', new Map([['weight', expected]]), new Map([['weight', actual]]));
  expect(compare).toThrow('mlp: weight differs by');
});

test('implementations that agree to rounding are timed', () => {
  const compare = () => requireAgreement('mlp', new Map([['weight', [1, 2]]]), new Map([['weight', [1, 2.00001]]]));
  expect(compare).not.toThrow();
});
