import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cpu } from '@gradpack/backend-cpu';
import * as core from '@gradpack/core';
import { linear, sequential } from '@gradpack/layers';
import { crossEntropyLoss } from '@gradpack/losses';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorOf, failureOf, x, y } from './harness.js';

const folder = mkdtempSync(join(tmpdir(), 'gradpack-second-core-'));
let second: typeof core;

beforeAll(async () => {
  cpSync(fileURLToPath(new URL('../../packages/core/src', import.meta.url)), folder, { recursive: true });
  const version = join(folder, 'version.ts');
  writeFileSync(version, readFileSync(version, 'utf8').replace(/VERSION = '[^']*'/, "VERSION = '99.0.0'"));
  second = (await import(/* @vite-ignore */ join(folder, 'index.ts'))) as typeof core;
});
afterAll(() => rmSync(folder, { recursive: true }));

const shown = (error: core.GradPackError) => error.message.replaceAll(core.VERSION, 'THIS');
const negative = ({ layer, expression: { input, neg } }: typeof core) =>
  layer<core.Layer<'negative', never, 'columns'>>({
    kind: 'negative',
    key: 'negative',
    uses: [],
    carries: ['columns'],
    accepts: 'float',
    traits: () => core.LINEAR_TRAITS,
    outputShapes: (shape: core.Shape) => [shape],
    linearize: ([value], k) => ({
      outputs: [k.map(neg(input(0)), [value as core.TensorRef])],
      uses: [],
      pull: ([columns]) => ({ inputs: [columns && k.map(neg(input(0)), [columns])], terms: [] }),
    }),
  });

describe('two copies of core', () => {
  test('are two', () => {
    expect(second.VERSION).toBe('99.0.0');
    expect(second.Module).not.toBe(core.Module);
  });
  test('a model', async () => {
    const error = await failureOf(() => core.extend(negative(second), crossEntropyLoss(), { backend: cpu() }));
    expect(error.code).toBe('GRADPACK-TWO-CORES');
    expect(shown(error)).toMatchInlineSnapshot(`
      "GRADPACK-TWO-CORES: two copies of @gradpack/core are loaded
        where: extend
        expected: something made with @gradpack/core THIS (this copy)
        got: something made with another copy, 99.0.0
        fix: install one version: run \`npm ls @gradpack/core\` and align the packages that bring their own"
    `);
    expect(error.detail.versions).toEqual([core.VERSION, '99.0.0']);
  });
  test('a loss', async () => {
    const loss = second.loss({ ...crossEntropyLoss() });
    const error = await failureOf(() => core.extend(sequential(linear(4, 3)), loss, { backend: cpu() }));
    expect(error.code).toBe('GRADPACK-TWO-CORES');
  });
  test('a layer inside a model', async () => {
    const backend = cpu();
    const net = await core.extend(sequential(linear(4, 3), negative(second)), crossEntropyLoss(), { backend });
    const { live } = backend.memory();
    const error = await failureOf(() => net.backward(x, y));
    expect(shown(error)).toMatchInlineSnapshot(`
      "GRADPACK-TWO-CORES: two copies of @gradpack/core are loaded
        where: negative.forward
        expected: something made with @gradpack/core THIS (this copy)
        got: something made with another copy, 99.0.0
        fix: install one version: run \`npm ls @gradpack/core\` and align the packages that bring their own"
    `);
    expect(backend.memory().live).toBe(live);
  });
  test('a layer of this copy there is none of', async () => {
    const net = await core.extend(sequential(linear(4, 3), negative(core)), crossEntropyLoss(), { backend: cpu() });
    (await net.backward(x, y)).dispose();
  });
  test('a value function', async () => {
    class Twice extends core.Module {
      readonly fc = linear(4, 3);
      other = false;
      forward(value: core.Value): core.Value {
        const features = this.fc.forward(value);
        return (this.other ? second : core).add(features, features);
      }
    }
    const error = await errorOf(
      ({ net, model }) => {
        (model as Twice).other = true;
        return net.backward(x, y).finally(() => {
          (model as Twice).other = false;
        });
      },
      { model: () => new Twice() },
    );
    expect(error.code).toBe('GRADPACK-TWO-CORES');
    expect(error.where).toBe('add.forward');
  });
  test('a quantity', async () => {
    const foreign = second.quantity('acme/sum', () => ({
      by: 'reduction',
      signal: second.gradient,
      reduce: { over: 'all' },
    }));
    const error = await errorOf(({ net }) => net.backward(x, y, { sum: foreign() }));
    expect(shown(error)).toMatchInlineSnapshot(`
      "GRADPACK-TWO-CORES: two copies of @gradpack/core are loaded
        where: net.backward
        expected: something made with @gradpack/core THIS (this copy)
        got: something made with another copy, 99.0.0
        fix: install one version: run \`npm ls @gradpack/core\` and align the packages that bring their own"
    `);
  });
  test('a tensor', async () => {
    const error = await errorOf(async ({ net, backend }) => {
      const input = second.tensor(backend, x);
      await net.backward(input, y).finally(() => input.dispose());
    });
    expect(error.code).toBe('GRADPACK-TWO-CORES');
  });
  test('something that no copy made', async () => {
    const error = await failureOf(() =>
      core.extend({ forward: (value: unknown) => value } as never, crossEntropyLoss(), { backend: cpu() }),
    );
    expect(shown(error)).toMatchInlineSnapshot(`
      "GRADPACK-OPTION: something here was not made by GradPack
        where: extend
        expected: a module, loss, quantity, value or tensor made by @gradpack/core or a package built on it
        got: another object
        fix: make it with the functions and classes of these packages"
    `);
  });
});
