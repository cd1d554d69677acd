import { cpu } from '@gradpack/backend-cpu';
import {
  extend,
  gradient,
  type Layer,
  LINEAR_TRAITS,
  layer,
  layerKind,
  layerSet,
  type Module,
  type Quantity,
  type QuantityKind,
  quantity,
  quantitySet,
  registry,
  rulesFor,
  type Shape,
  type Tensor,
  type TensorRef,
} from '@gradpack/core';
import { type BatchGrad, firstOrder } from '@gradpack/extensions-firstorder';
import { secondOrder } from '@gradpack/extensions-secondorder';
import { type Linear, layers, linear, sequential } from '@gradpack/layers';
import { mseLoss } from '@gradpack/losses';
import { describe, expect, test } from 'vitest';
import { fourier, fourierRules } from '../third-party/fourier-layer/src/index.js';
import { thirdMoment } from '../third-party/third-moment/src/index.js';

const backend = cpu({ precision: 'float64' });

/** A layer that lets columns through and nothing else. */
type Opaque = Layer<'acme/opaque', never, 'columns'>;
const opaque = (): Opaque =>
  layer<Opaque>({
    kind: 'acme/opaque',
    uses: [],
    carries: ['columns'],
    accepts: 'float',
    traits: () => LINEAR_TRAITS,
    outputShapes: (x: Shape) => [x],
    linearize: ([x]) => ({
      outputs: [x as TensorRef],
      uses: [],
      pull: ([columns]) => ({ inputs: [columns], terms: [] }),
    }),
  });

/** Which rule computed a bias: a quantity whose value is a constant. */
type Which = Quantity<'acme/which', Tensor, 'shift', 'columns'>;
const which: QuantityKind<Which> = quantity('acme/which', () => ({
  by: 'rules',
  signal: gradient,
  rules: { shift: { add: (_before, _terms, { k }) => k.full([], 1) } },
}));
const ofLinear = (value: number, options?: { readonly override: boolean }) =>
  rulesFor(
    layerKind<Linear>('linear'),
    which,
    {
      matrix: { add: (_before, _terms, { k }) => k.full([], value) },
      shift: { add: (_before, _terms, { k }) => k.full([], value) },
    },
    options,
  );

const table = registry(
  layers,
  firstOrder,
  secondOrder,
  layerSet(fourier(1), opaque()),
  quantitySet(thirdMoment, which),
  fourierRules,
);

describe('lookup', () => {
  test.each([
    ['conv2d', 'kfac', { supported: true, by: 'rules', from: 'kfac' }],
    ['relu', 'kfac', { supported: true, by: 'rules', from: 'kfac' }],
    ['conv2d', 'batchGrad', { supported: true, by: 'reduction', from: 'batchGrad' }],
    ['embedding', 'acme/thirdMoment', { supported: true, by: 'individual', from: 'acme/thirdMoment' }],
    ['linear', 'hessianVectorProduct', { supported: true, by: 'product', from: 'hessianVectorProduct' }],
    ['acme/fourier', 'kfac', { supported: true, by: 'rules', from: 'acme/fourier' }],
    ['acme/fourier', 'kflr', { supported: false, reason: 'no rule for kflr of acme/fourier.acme/frequency' }],
    ['acme/opaque', 'diagHessian', { supported: false, reason: 'diagHessian needs curvature through acme/opaque' }],
    ['acme/opaque', 'batchGrad', { supported: true, by: 'reduction', from: 'batchGrad' }],
    ['linear', 'acme/which', { supported: false, reason: 'no rule for acme/which of linear.matrix' }],
  ] as const)('%s × %s', (kind, name, support) => {
    expect(table.lookup(kind, name)).toEqual(support);
  });
  test('of what was not registered', () => {
    expect(table.lookup('lstm' as never, 'kfac')).toEqual({ supported: false, reason: 'no layer lstm is registered' });
    expect(table.lookup('conv2d', 'kfra' as never)).toEqual({
      supported: false,
      reason: 'no quantity kfra is registered',
    });
  });
  test('pairs() lists every pair once', () => {
    const pairs = table.pairs();
    expect(pairs.length).toBe(
      (layers.layers.length + 2) * (firstOrder.quantities.length + secondOrder.quantities.length + 2),
    );
    expect(new Set(pairs.map((pair) => `${pair.layer} ${pair.quantity}`)).size).toBe(pairs.length);
    for (const { layer, quantity, support } of pairs) expect(table.lookup(layer, quantity)).toEqual(support);
  });
});

describe('a pair given twice', () => {
  test('is refused', () => {
    expect(() => registry(ofLinear(1), ofLinear(2))).toThrowErrorMatchingInlineSnapshot(`
      [GradPackError: GRADPACK-DUPLICATE-PAIR: there is a second rule for acme/which of linear.matrix
        where: registry
        expected: each layer, quantity and rule once
        got: two of rule for acme/which of linear.matrix, with different content
        fix: leave one out, or pass { override: true } with the rule that is to win]
    `);
    expect(() => registry(layers, layerSet(linear(1, 1)))).toThrowErrorMatchingInlineSnapshot(`
      [GradPackError: GRADPACK-DUPLICATE-PAIR: there is a second layer linear
        where: registry
        expected: each layer, quantity and rule once
        got: two of layer linear, with different content
        fix: leave one out, or pass { override: true } with the rule that is to win]
    `);
    const other = quantity<BatchGrad>('batchGrad', () => ({ by: 'product', mode: 'ggn' }));
    expect(() => registry(firstOrder, quantitySet(other))).toThrowErrorMatchingInlineSnapshot(`
      [GradPackError: GRADPACK-DUPLICATE-PAIR: there is a second quantity batchGrad
        where: registry
        expected: each layer, quantity and rule once
        got: two of quantity batchGrad, with different content
        fix: leave one out, or pass { override: true } with the rule that is to win]
    `);
  });
  test('unless the one that is to win says so, in any order', async () => {
    const winner = ofLinear(2, { override: true });
    expect(await whichOf(registry(ofLinear(1), winner))).toEqual({ weight: 2, bias: 2 });
    expect(await whichOf(registry(winner, ofLinear(1)))).toEqual({ weight: 2, bias: 2 });
  });
  test('is one pair where it is the same', async () => {
    const rules = ofLinear(3);
    expect(await whichOf(registry(rules, registry(rules)))).toEqual({ weight: 3, bias: 3 });
    expect(registry(layers, firstOrder, registry(firstOrder, layers)).pairs()).toEqual(
      registry(layers, firstOrder).pairs(),
    );
  });
});

async function whichOf(rules: ReturnType<typeof ofLinear>): Promise<Record<string, number>> {
  const net = await extend(sequential(linear(2, 1)), mseLoss(), { backend, registry: rules });
  const step = await net.backward([[1, 2]], [[3]], { which: which() });
  const read = await step.which.data();
  const found = { weight: read.get('0.weight').data[0]!, bias: read.get('0.bias').data[0]! };
  step.dispose();
  await net.dispose();
  return found;
}

test('a layer’s rule wins over the kind’s, use by use', async () => {
  const bias = rulesFor(layerKind<Linear>('linear'), which, {
    matrix: { add: (_before, _terms, { k }) => k.full([], 7) },
  });
  expect(await whichOf(bias as never)).toEqual({ weight: 7, bias: 1 });
});

describe('what is not supported throws before anything runs', () => {
  test.each(table.pairs().filter(({ support }) => !support.supported))('$layer × $quantity', async (pair) => {
    const model: () => Module =
      {
        'acme/fourier': () => sequential(linear(2, 3), fourier(3)),
        'acme/opaque': () => sequential(linear(2, 3), opaque()),
      }[pair.layer as string] ?? (() => sequential(linear(2, 3)));
    const asked = [...firstOrder.quantities, ...secondOrder.quantities, which()].find(
      ({ name }) => name === pair.quantity,
    )!;
    const net = await extend(model(), mseLoss(), { backend });
    const live = backend.memory().live;
    const error = await net.backward([[1, 2]], [[1, 2, 3]], { asked } as never).catch((e) => e);
    expect(error).toMatchObject({ code: 'GRADPACK-UNSUPPORTED-PAIR' });
    expect(backend.memory().live).toBe(live);
    const skipped = await net.backward([[1, 2]], [[1, 2, 3]], { asked } as never, { onMissing: 'skip' });
    expect(skipped.skipped.length).toBeGreaterThan(0);
    skipped.dispose();
    await net.dispose();
  });
});
