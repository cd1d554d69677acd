import type { Backend } from '@gradpack/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeBackends } from '../support/backends.js';
import { goldenErrors } from '../support/golden.js';
import { goldenIndex, goldens } from '../support/golden-files.js';

const all = goldens();

describe.each(nodeBackends())('goldens of PyTorch and BackPACK × $name', ({ missing, make, tolerance }) => {
  let backend: Backend;
  beforeAll(async () => {
    if (missing === undefined) backend = await make();
  });
  afterAll(() => backend?.dispose());

  test.skipIf(missing !== undefined).each(all.map((golden) => [golden.name, golden] as const))(
    '%s',
    async (_, golden) => {
      const errors = await goldenErrors(golden, backend);
      expect(errors.length).toBeGreaterThan(0);
      expect(errors.filter(({ quantity, error }) => !(error <= tolerance.golden(quantity)))).toEqual([]);
      expect(backend.memory().live).toBe(0);
    },
  );
});

test('every layer × quantity × reduction that the index lists stands in a case', () => {
  const { coverage } = goldenIndex();
  const pairs = Object.values(coverage).flatMap((quantities) => Object.values(quantities).flat());
  expect(pairs.length).toBeGreaterThan(300);
  for (const [layer, quantities] of Object.entries(coverage))
    for (const [quantity, reductions] of Object.entries(quantities))
      for (const reduction of reductions) {
        const found = all.some(
          ({ source, net, expected }) =>
            source === 'backpack' &&
            net.loss.reduction === reduction &&
            quantity in expected &&
            (net.nodes.some((node) => node.op === layer) || net.loss.kind === layer),
        );
        expect(found, `${layer} × ${quantity} × ${reduction}`).toBe(true);
      }
});
