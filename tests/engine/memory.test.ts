import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Backend } from '@gradpack/core';
import { afterEach, describe, expect, test } from 'vitest';
import { nodeBackends } from '../support/backends.js';
import { expectMemoryStays } from '../support/memory.js';
import { delayedCpu } from './delayed-backend.js';

const delayed = { name: 'a device that answers later', missing: undefined, make: async () => delayedCpu() };

describe.each([...nodeBackends(), delayed])('memory × $name', ({ make, missing }) => {
  let backend: Backend | undefined;
  afterEach(() => backend?.dispose());

  test.skipIf(missing !== undefined)('101 steps, with failing ones in between, take what the first takes', async () => {
    backend = await make();
    await expectMemoryStays(backend);
  });
});

describe('steps that are dropped without dispose', () => {
  const run = (scenario: string) =>
    execFileSync(
      process.execPath,
      [
        '--expose-gc',
        '--conditions=@gradpack/source',
        '--import',
        import.meta.resolve('tsx'),
        fileURLToPath(new URL('dropped-steps.ts', import.meta.url)),
        scenario,
      ],
      { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
    )
      .trim()
      .split('\n');

  test('are given back, with one warning', () => {
    expect(run('drop')).toMatchInlineSnapshot(`
      [
        "GradPack warning (step-not-disposed): a step was dropped without dispose(); its memory is given back now, late. Call step.dispose(), or write \`using step = …\`.",
        "three steps: given back",
        "a step with checks on the device: given back",
        "0",
      ]
    `);
  });
  test('are kept by any of their tensors, results and products', () => {
    expect(run('keep')).toMatchInlineSnapshot(`
      [
        "loss: kept",
        "GradPack warning (step-not-disposed): a step was dropped without dispose(); its memory is given back now, late. Call step.dispose(), or write \`using step = …\`.",
        "without loss: given back",
        "gradient: kept",
        "without gradient: given back",
        "one result: kept",
        "without one result: given back",
        "product: kept",
        "without product: given back",
        "result of a product: kept",
        "without result of a product: given back",
      ]
    `);
  });
  test('no warning where it was switched off', () => {
    expect(run('silence')).toMatchInlineSnapshot(`
      [
        "three steps: given back",
        "a step with checks on the device: given back",
        "0",
      ]
    `);
  });
});
