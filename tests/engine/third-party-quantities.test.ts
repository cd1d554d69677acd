import { cpu } from '@gradpack/backend-cpu';
import {
  exactFactor,
  expression,
  extend,
  gradient,
  hessian,
  type Quantity,
  type QuantityKind,
  quantity,
  type Tensor,
  type TensorRef,
} from '@gradpack/core';
import { batchGrad } from '@gradpack/extensions-firstorder';
import { hessianVectorProduct } from '@gradpack/extensions-secondorder';
import { linear, sequential, tanh } from '@gradpack/layers';
import { crossEntropyLoss } from '@gradpack/losses';
import { describe, expect, test } from 'vitest';

const { input, mul } = expression;
const x = [
  [1, 2, 3],
  [0, -1, 2],
];
const y = new Int32Array([0, 1]);
const net = () =>
  extend(sequential(linear(3, 4), tanh(), linear(4, 2)), crossEntropyLoss(), {
    backend: cpu({ precision: 'float64' }),
  });

type Individual = Quantity<'test/individual', Tensor, string, 'columns'>;

describe('quantities of third parties', () => {
  test('with functions as options are told apart', async () => {
    const scaled: QuantityKind<Individual, [f: (factor: number) => number]> = quantity(
      'test/individual',
      (f: (factor: number) => number) => ({
        by: 'individual',
        signal: gradient,
        combine: 'sum',
        compute: (G: TensorRef, k) => k.reduce('sum', mul(f(1), input(0)), [G], [0, 1]),
      }),
    );
    const model = await net();
    using step = await model.backward(x, y, { once: scaled((v) => v), tenfold: scaled((v) => 10 * v) });
    const [once, tenfold] = [await step.once.get('2.bias').data(), await step.tenfold.get('2.bias').data()];
    expect(tenfold[0]! / once[0]!).toBeCloseTo(10, 10);
  });

  test('may return a row of a result beside it', async () => {
    const last: QuantityKind<Individual> = quantity('test/individual', () => ({
      by: 'derived',
      from: { rows: batchGrad() },
      compute: ({ rows }, { k }) => k.rows(rows as unknown as TensorRef, 1, 2),
    }));
    const model = await net();
    using step = await model.backward(x, y, { all: batchGrad(), last: last() });
    const all = await step.all.get('2.bias').data();
    expect([...(await step.last.get('2.bias').data())]).toEqual([...all.slice(2)]);
  });

  test('cannot read the Hessian’s signed columns but by their squares', async () => {
    const sum: QuantityKind<Individual> = quantity('test/individual', () => ({
      by: 'individual',
      signal: hessian,
      combine: 'sum',
      compute: (G: TensorRef, k) => k.reduce('sum', input(0), [G], [0, 1]),
    })) as never;
    const model = await net();
    await expect(model.backward(x, y, { sum: sum() })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [GradPackError: GRADPACK-UNSUPPORTED-PAIR: one pair is not supported: test/individual reads the Hessian's columns, which have signs: only sums of their squares over the columns are defined
        where: net.backward
        expected: quantities that are defined for every layer of the net
        got: test/individual reads the Hessian's columns, which have signs: only sums of their squares over the columns are defined
        fix: leave the quantity out, freeze the parameter, register rules for it, or pass onMissing: 'skip']
    `);
  });

  test('cannot be made from products', async () => {
    const from: QuantityKind<Individual> = quantity('test/individual', () => ({
      by: 'derived',
      from: { product: hessianVectorProduct() },
      compute: () => 0,
    }));
    const model = await net();
    await expect(model.backward(x, y, { from: from() })).rejects.toMatchObject({ code: 'GRADPACK-UNSUPPORTED-PAIR' });
    expect(model.summary([2, 3], { from: from() }).quantities.from!.supported).toBe(false);
  });

  test('of several columns count them from their own signal’s first', async () => {
    const columns: number[][] = [];
    const watch: QuantityKind<Individual> = quantity('test/individual', () => ({
      by: 'individual',
      signal: exactFactor(),
      combine: 'sum',
      compute: (G: TensorRef, k, at) => {
        columns.push([at.columns.from, at.columns.to]);
        return k.reduce('sum', mul(input(0), input(0)), [G], [0, 1]);
      },
    }));
    const model = await net();
    using step = await model.backward(x, y, { watch: watch() });
    expect(step.watch.has('0.weight')).toBe(true);
    expect(new Set(columns.map(String))).toEqual(new Set(['0,1']));
  });
});
