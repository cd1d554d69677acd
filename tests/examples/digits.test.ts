import { stripVTControlCharacters } from 'node:util';
import { cpu } from '@gradpack/backend-cpu';
import { isNativeAvailable, native } from '@gradpack/backend-native';
import type { Backend } from '@gradpack/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseOptions } from '../../examples/digits/options.js';
import { readDigits } from '../../examples/digits/read-digits.js';
import { drawDigits } from '../../examples/digits/report/draw.js';
import { epochHeader, epochLine } from '../../examples/digits/report/epochs.js';
import { curvatureTable, gradientTable } from '../../examples/digits/report/tables.js';
import { type DigitsRun, type RunOptions, runDigits } from '../../examples/digits/run.js';
import { differentPredictions, firstLossesError } from '../support/digits-agreement.js';

const MINUTES = 60_000;
const PARAMETERS = ['0.weight', '0.bias', '3.weight', '3.bias', '7.weight', '7.bias'];

describe('the command line', () => {
  test('has defaults', () => {
    expect(parseOptions([])).toEqual({ backend: 'auto', epochs: 8, seed: 0, help: false });
  });
  test.each([
    [['--backend', 'gpu'], '--backend is one of auto, native, webgpu, cpu, not gpu'],
    [['--epochs', '0'], '--epochs is a whole number, 1 or more, not 0'],
    [['--seed', ''], '--seed is a whole number, 0 or more, not '],
    [['--speed', '9'], "Unknown option '--speed'"],
  ])('refuses %j', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});

async function runOn(backend: Backend, options: RunOptions): Promise<DigitsRun> {
  try {
    return await runDigits(backend, await readDigits(), options);
  } finally {
    await backend.dispose();
  }
}

describe('a short run', () => {
  let run: DigitsRun;
  let live: number;
  beforeAll(async () => {
    const backend = cpu();
    run = await runDigits(backend, await readDigits(), { seed: 0, epochs: 1, inspected: 8 });
    live = backend.memory().live;
    await backend.dispose();
  }, 2 * MINUTES);

  test('splits the digits and flips ten training labels', () => {
    const { training, test: held, flipped } = run.split;
    expect([training.count, held.count, flipped.size]).toEqual([1437, 360, 10]);
    for (const [row, truth] of flipped) expect(training.labels[row]).not.toBe(truth);
  });

  test('reports loss, accuracy and signal-to-noise after each epoch', () => {
    const [epoch] = run.epochs;
    expect(epoch?.losses).toHaveLength(90);
    expect(epoch?.accuracy).toBeGreaterThan(0.5);
    expect([...(epoch?.signalToNoise.keys() ?? [])]).toEqual(PARAMETERS);
    for (const ratio of epoch?.signalToNoise.values() ?? []) expect(ratio).toBeGreaterThan(0);
  });

  test('finds a gradient norm for each training image', () => {
    expect(run.norms).toHaveLength(1437);
    expect(run.norms.every((norm) => norm > 0)).toBe(true);
  });

  test('looks into every parameter', () => {
    expect(run.parameters.map(({ name }) => name)).toEqual(PARAMETERS);
    for (const { shape, gradientNorm, individualNorm, noise, ggnTrace, kflr, kfac } of run.parameters) {
      const [output, input] = shape.length === 1 ? [shape[0]] : [shape[0], shape.slice(1).reduce((a, b) => a * b)];
      const sizes = input === undefined ? [output] : [output, input];
      expect(kflr.map(({ size }) => size)).toEqual(sizes);
      expect(kfac.map(({ size }) => size)).toEqual(sizes);
      expect(ggnTrace).toBeGreaterThan(0);
      // mean square = squared mean + variance
      expect(gradientNorm ** 2 + noise ** 2).toBeCloseTo(individualNorm ** 2, 4);
    }
  });

  test('the last layer has no curvature along equal logits', () => {
    expect(run.parameters.at(-1)?.kflr).toMatchObject([{ rank: 9, size: 10 }]);
  });

  test('the Hessian differs from the Gauss-Newton matrix below tanh, and only there', () => {
    const below = run.parameters.slice(0, 4);
    const above = run.parameters.slice(4);
    for (const { hessianTrace, ggnTrace } of below) expect(Math.abs(hessianTrace / ggnTrace - 1)).toBeGreaterThan(1e-3);
    for (const { hessianTrace, ggnTrace } of above) expect(hessianTrace / ggnTrace).toBeCloseTo(1, 4);
  });

  test('shows what it found in 80 columns of text, or a table', () => {
    const [epoch] = run.epochs;
    if (!epoch) throw new Error('no epoch');
    const text = [epochHeader(epoch), epochLine(epoch, 1), drawDigits(run, [...run.split.flipped.keys()])].join('\n');
    // colours take no column (continuous integration has them on)
    for (const line of stripVTControlCharacters(text).split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(text.match(/flipped from/g)).toHaveLength(10);
    for (const name of PARAMETERS) {
      expect(gradientTable(run.parameters)).toContain(name);
      expect(curvatureTable(run.parameters)).toContain(name);
    }
  });

  test('leaves no memory behind', () => {
    expect(live).toBe(0);
  });
});

describe('the whole run', () => {
  const options = { seed: 0, epochs: 8, inspected: 0 };
  const available = isNativeAvailable();
  const reason = available === true ? '' : ` (${available})`;
  let reference: DigitsRun;
  beforeAll(async () => {
    reference = await runOn(cpu({ precision: 'float64' }), options);
  }, 3 * MINUTES);

  const judge = (run: DigitsRun): void => {
    expect(run.epochs.at(-1)?.accuracy).toBeGreaterThanOrEqual(0.96);
    expect(run.found.length).toBeGreaterThanOrEqual(8);
    expect(firstLossesError(run, reference)).toBeLessThanOrEqual(1e-4);
    expect(differentPredictions(run, reference)).toBeLessThanOrEqual(2);
  };

  test('learns and finds the flipped labels on cpu float64', () => {
    judge(reference);
  });

  test('agrees on cpu float32', async () => judge(await runOn(cpu(), options)), 3 * MINUTES);

  test.skipIf(available !== true)(
    `agrees on native${reason}`,
    async () => judge(await runOn(await native({ threads: 2 }), options)),
    3 * MINUTES,
  );
});
