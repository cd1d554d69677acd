import type { BoundLoss, Loss, TensorRef } from '@gradpack/core';
import { crossEntropyLoss, mseLoss } from '@gradpack/losses';
import { describe, expect, test } from 'vitest';
import { difference, drawing, floats, ints, moved, type Numbers } from '../layers/numbers.js';
import { at, entrywise, outerSum, unitColumns } from './bound.js';

const draw = drawing(11);
const logits = draw.floats([3, 4], -3, 3);
const classes = draw.ints([3], 4);
const pixels = draw.floats([2, 3, 2, 2], -3, 3);
const pixelClasses = draw.ints([2, 2, 2], 3);

interface LossCase {
  readonly name: string;
  readonly loss: Loss;
  readonly output: Numbers;
  readonly target: Numbers;
  readonly K: number;
}

const CASES: readonly LossCase[] = [
  { name: 'crossEntropyLoss mean', loss: crossEntropyLoss(), output: logits, target: classes, K: 3 },
  { name: 'crossEntropyLoss sum', loss: crossEntropyLoss({ reduction: 'sum' }), output: logits, target: classes, K: 1 },
  { name: 'crossEntropyLoss over positions', loss: crossEntropyLoss(), output: pixels, target: pixelClasses, K: 8 },
  {
    name: 'crossEntropyLoss of two classes',
    loss: crossEntropyLoss(),
    output: draw.floats([3, 2]),
    target: draw.ints([3], 2),
    K: 3,
  },
  {
    name: 'crossEntropyLoss of one class',
    loss: crossEntropyLoss(),
    output: draw.floats([2, 1, 2]),
    target: ints([2, 2], [0, 0, 0, 0]),
    K: 4,
  },
  {
    name: 'crossEntropyLoss with equal logits',
    loss: crossEntropyLoss(),
    output: floats([1, 4], [2, 2, 2, 2]),
    target: ints([1], [3]),
    K: 1,
  },
  { name: 'mseLoss mean', loss: mseLoss(), output: logits, target: draw.floats([3, 4]), K: 12 },
  { name: 'mseLoss sum', loss: mseLoss({ reduction: 'sum' }), output: logits, target: draw.floats([3, 4]), K: 1 },
  { name: 'mseLoss over positions', loss: mseLoss(), output: pixels, target: draw.floats([2, 3, 2, 2]), K: 24 },
];

describe.each(CASES)('$name', ({ loss, output, target, K }) => {
  const ask = (f: (bound: BoundLoss, put: (x: Numbers) => TensorRef) => TensorRef, x = output): Numbers =>
    at(loss, x, target, f);
  const hessian = ask((bound, put) => bound.hessianProduct(put(unitColumns(output))));
  const factor = (form: 'full' | 'reduced', from = 0, to = loss.columns(output.shape, form)): Numbers =>
    ask((bound) => bound.exactFactor(form, { from, to }));

  test('the gradient is the slope of the value', () => {
    const gradient = ask((bound) => bound.gradient());
    const value = (x: Numbers): number => ask((bound) => bound.value(), x).data[0] as number;
    const measured = output.data.map((_, i) => {
      const unit = floats(
        output.shape,
        Array.from(output.data, (_x, j) => Number(i === j)),
      );
      return (value(moved(output, unit, 1e-5)) - value(moved(output, unit, -1e-5))) / 2e-5;
    });
    expect(gradient.shape).toEqual([1, ...output.shape]);
    expect(difference(gradient, { shape: gradient.shape, data: measured as Float64Array<ArrayBuffer> })).toBeLessThan(
      1e-9,
    );
  });

  test('the Hessian product is the slope of the gradient', () => {
    const tangents = drawing(5).floats([2, ...output.shape]);
    const product = ask((bound, put) => bound.hessianProduct(put(tangents)));
    const gradient = (x: Numbers): Numbers => ask((bound) => bound.gradient(), x);
    const measured = [0, 1].flatMap((v) => {
      const [above, below] = [gradient(moved(output, tangents, 1e-5, v)), gradient(moved(output, tangents, -1e-5, v))];
      return Array.from(above.data, (x, i) => (x - (below.data[i] as number)) / 2e-5);
    });
    expect(difference(product, floats(tangents.shape, measured))).toBeLessThan(1e-9);
  });

  test.each(['full', 'reduced'] as const)('the %s factor times its transpose is the Hessian', (form) => {
    expect(difference(outerSum(factor(form)), hessian)).toBeLessThan(1e-14);
  });

  test.each(['full', 'reduced'] as const)('columns of the %s factor can be made alone', (form) => {
    const V = loss.columns(output.shape, form);
    const all = factor(form);
    const alone = Array.from({ length: V }, (_, v) => [...factor(form, v, v + 1).data]).flat();
    expect(floats(all.shape, alone)).toEqual(all);
    if (V > 2) expect([...factor(form, 1, 3).data]).toEqual(alone.slice(output.data.length, 3 * output.data.length));
  });

  test('given labels make gradients at these labels, over √(samples · K)', () => {
    const M = 5;
    const isClasses = target.data instanceof Int32Array;
    const labels = isClasses
      ? drawing(6).ints([M, ...target.shape], loss.target(output.shape).bound ?? 0)
      : drawing(6).floats([M, ...target.shape], -2, 2);
    const sampled = ask((bound, put) =>
      (bound.sampledFactor as NonNullable<BoundLoss['sampledFactor']>)(M, { labels: put(labels) }, { from: 1, to: 3 }),
    );
    const expected = [1, 2].flatMap((m) => {
      const label = labels.data.slice(m * target.data.length, (m + 1) * target.data.length);
      // normals z stand for y = f + z/√2, where the gradient 2 (f − y) is −√2 z: the sign does not matter
      const y: Numbers = isClasses
        ? { shape: target.shape, data: label }
        : moved(output, { shape: target.shape, data: label }, -Math.SQRT1_2);
      const gradient = at(loss, output, y, (bound) => bound.gradient());
      return Array.from(gradient.data, (g) => (g * K) / Math.sqrt(M * K));
    });
    expect(difference(sampled, floats([2, ...output.shape], expected))).toBeLessThan(1e-14);
  });

  test('drawn columns do not depend on the chunk they are made in', () => {
    const sampled = (from: number, to: number): Numbers =>
      ask((bound, put) =>
        (bound.sampledFactor as NonNullable<BoundLoss['sampledFactor']>)(
          4,
          { stream: { run: put(ints([2], [1, 2])), stream: 3 } },
          { from, to },
        ),
      );
    const all = sampled(0, 4);
    expect(all.shape).toEqual([4, ...output.shape]);
    expect([sampled(0, 1), sampled(1, 4)].flatMap(({ data }) => [...data])).toEqual([...all.data]);
  });

  test('many drawn columns average to the Hessian', () => {
    const M = 4000;
    const sampled = ask((bound, put) =>
      (bound.sampledFactor as NonNullable<BoundLoss['sampledFactor']>)(
        M,
        { stream: { run: put(ints([2], [1, 2])), stream: 3 } },
        { from: 0, to: M },
      ),
    );
    expect(difference(outerSum(sampled), hessian, 1e-300)).toBeLessThan(0.1);
  });
});

describe('crossEntropyLoss', () => {
  test('is log C / K summed where all classes are alike', () => {
    const value = at(crossEntropyLoss(), floats([2, 4], new Array(8).fill(1)), ints([2], [0, 3]), (bound) =>
      bound.value(),
    );
    expect(value.shape).toEqual([]);
    expect(value.data[0]).toBeCloseTo(Math.log(4), 14);
  });

  test('with reduction none gives one value for each sample and position', () => {
    const loss = crossEntropyLoss({ reduction: 'none' });
    const value = at(loss, pixels, pixelClasses, (bound) => bound.value());
    expect(value.shape).toEqual([2, 2, 2]);
    const sum = at(crossEntropyLoss({ reduction: 'sum' }), pixels, pixelClasses, (bound) => bound.value())
      .data[0] as number;
    expect(Array.from(value.data).reduce((a, b) => a + b, 0)).toBeCloseTo(sum, 13);
  });

  test('passes NaN on', () => {
    const loss = crossEntropyLoss();
    const output = floats([1, 3], [1, Number.NaN, 2]);
    for (const ask of [
      (b: BoundLoss) => b.value(),
      (b: BoundLoss) => b.gradient(),
      (b: BoundLoss) => b.exactFactor('reduced', { from: 0, to: 2 }),
    ])
      expect([...at(loss, output, ints([1], [0]), ask).data].some(Number.isNaN)).toBe(true);
  });

  describe.each([
    [80, -80, 0, 79],
    [-80, 80, -80, -79.5],
    [-80, -80, -80, 80],
    [80, 80, -80, -80],
    [300, -300, 0, 10],
  ])('at logits %d, %d, %d, %d keeps the digits of every entry', (...z) => {
    // exact up to rounding: e^(z_c − z_d) never meets a 1 that would swallow it
    const p = z.map((zc) => 1 / z.reduce((sum, zd) => sum + Math.exp(zd - zc), 0));
    const rest = p.map((_, c) => p.reduce((sum, pd, d) => (d === c ? sum : sum + pd), 0));
    const expected = p.flatMap((pc, c) => p.map((pd, d) => (c === d ? pc * (rest[c] as number) : -pc * pd)));
    const output = floats([1, 4], z);
    const ask = (f: (bound: BoundLoss, put: (x: Numbers) => TensorRef) => TensorRef, label = 0): Numbers =>
      at(crossEntropyLoss(), output, ints([1], [label]), f);

    test('of the value', () => {
      z.forEach((zc, label) => {
        const others = z.reduce((sum, zd, d) => (d === label ? sum : sum + Math.exp(zd - zc)), 0);
        const expectedValue =
          others < 1
            ? Math.log1p(others)
            : Math.max(...z) - zc + Math.log(z.reduce((sum, zd) => sum + Math.exp(zd - Math.max(...z)), 0));
        expect(
          entrywise(
            ask((bound) => bound.value(), label),
            [expectedValue],
          ),
        ).toBeLessThan(1e-13);
      });
    });
    test('of the gradient', () => {
      z.forEach((_, label) => {
        expect(
          entrywise(
            ask((bound) => bound.gradient(), label),
            p.map((pc, c) => (c === label ? -(rest[c] as number) : pc)),
          ),
        ).toBeLessThan(1e-13);
      });
    });
    test('of the Hessian product', () => {
      expect(
        entrywise(
          ask((bound, put) => bound.hessianProduct(put(unitColumns(output)))),
          expected,
        ),
      ).toBeLessThan(1e-13);
    });
    test.each([
      ['full', 4],
      ['reduced', 3],
    ] as const)('of the %s factor', (form, to) => {
      const diagonal = (all: ArrayLike<number>): number[] => [0, 5, 10, 15].map((i) => all[i] as number);
      const product = outerSum(ask((bound) => bound.exactFactor(form, { from: 0, to })));
      expect(
        entrywise({ shape: [4], data: Float64Array.from(diagonal(product.data)) }, diagonal(expected)),
      ).toBeLessThan(1e-13);
      // off the diagonal summands may cancel, but not below the size of the two diagonal entries together
      product.data.forEach((x, i) => {
        const [c, d] = [Math.floor(i / 4), i % 4];
        const size = Math.sqrt(expected[5 * c] as number) * Math.sqrt(expected[5 * d] as number);
        expect(Math.abs(x - (expected[i] as number))).toBeLessThan(1e-13 * size + Number.MIN_VALUE);
      });
    });
  });
});

describe('mseLoss', () => {
  test('has no ½, and divides by all entries', () => {
    const [output, target] = [floats([2, 2], [1, 2, 3, 4]), floats([2, 2], [0, 0, 0, 0])];
    expect(at(mseLoss(), output, target, (bound) => bound.value())).toEqual(floats([], [7.5]));
    expect(at(mseLoss(), output, target, (bound) => bound.gradient())).toEqual(floats([1, 2, 2], [0.5, 1, 1.5, 2]));
    expect(at(mseLoss({ reduction: 'none' }), output, target, (bound) => bound.value())).toEqual(
      floats([2, 2], [1, 4, 9, 16]),
    );
    expect(at(mseLoss(), output, target, (bound) => bound.exactFactor('reduced', { from: 1, to: 2 }))).toEqual(
      floats([1, 2, 2], [0, Math.SQRT1_2, 0, Math.SQRT1_2]),
    );
  });

  test('draws standard normals', () => {
    const [M, zero] = [20_000, floats([1, 2], [0, 0])];
    const columns = at(mseLoss({ reduction: 'sum' }), zero, zero, (bound, put) =>
      (bound.sampledFactor as NonNullable<BoundLoss['sampledFactor']>)(
        M,
        { stream: { run: put(ints([2], [0, 1])), stream: 0 } },
        { from: 0, to: M },
      ),
    );
    const z = Array.from(columns.data, (x) => x * Math.sqrt(M / 2));
    const moment = (power: number): number => z.reduce((sum, x) => sum + x ** power, 0) / z.length;
    const neighbours = z.reduce((sum, x, i) => (i % 2 === 0 ? sum + x * (z[i + 1] as number) : sum), 0) / M;
    expect([moment(1), moment(2) - 1, moment(3), moment(4) - 3, neighbours].map(Math.abs).every((x) => x < 0.1)).toBe(
      true,
    );
  });
});
