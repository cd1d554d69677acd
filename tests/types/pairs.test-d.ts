import { cpu } from '@gradpack/backend-cpu';
import {
  add,
  type BoundLoss,
  extend,
  gradient,
  type Layer,
  type LayersOf,
  type Loss,
  layerKind,
  type MatrixUse,
  Module,
  type Pair,
  type Parameter,
  type Quantities,
  type Quantity,
  type QuantityKind,
  quantity,
  quantityKind,
  type RuleSet,
  registry,
  rulesFor,
  type Supports,
  type Tensor,
  type Value,
} from '@gradpack/core';
import { batchGrad, firstOrder } from '@gradpack/extensions-firstorder';
import {
  diagGGNExact,
  diagHessian,
  hessianVectorProduct,
  type KFAC,
  kfac,
  kflr,
  secondOrder,
} from '@gradpack/extensions-secondorder';
import { type Conv2d, embedding, type Linear, layers, linear, relu, sequential } from '@gradpack/layers';
import { mseLoss } from '@gradpack/losses';
import { type Fourier, fourier, fourierRules } from '../third-party/fourier-layer/src/index.js';
import { thirdMoment } from '../third-party/third-moment/src/index.js';
import { typed } from './typed.js';

const on = { backend: cpu() };
const loss = mseLoss();
const [x, y] = [[[1, 2]], [[1]]];

// ── extraction: a pair without a rule does not compile, and only its line is marked
const wave = sequential(linear(2, 2), fourier(2));
const net = await extend(wave, loss, on);
await net.backward(x, y, { g: batchGrad(), third: thirdMoment(), ggn: diagGGNExact(), hvp: hessianVectorProduct() });
await net.backward(x, y, {
  g: batchGrad(),
  // @ts-expect-error: no rule for kfac of acme/fourier.acme/frequency
  curvature: kfac(),
});
const withRules = await extend(wave, loss, { ...on, registry: fourierRules });
typed<Tensor>()((await withRules.backward(x, y, { c: kfac() })).c.get(wave.layers[1].frequency).output);
// @ts-expect-error: the rule is for kfac
await withRules.backward(x, y, { c: kflr() });
const table = registry(layers, firstOrder, secondOrder, fourierRules);
await (await extend(wave, loss, { ...on, registry: table })).backward(x, y, { c: kfac() });

// ── propagation: what a layer or the loss does not carry
declare const opaque: Layer<'acme/opaque', never, 'columns'>;
const through = await extend(sequential(linear(2, 2), opaque), loss, on);
await through.backward(x, y, { g: batchGrad(), c: kfac() });
// @ts-expect-error: diagHessian needs curvature through acme/opaque
await through.backward(x, y, { h: diagHessian() });
// @ts-expect-error: hessianVectorProduct needs product through acme/opaque
await through.backward(x, y, { h: hessianVectorProduct() });
declare const firstOnly: Loss<'columns' | 'product'> & { bind(): BoundLoss };
const underLoss = await extend(sequential(linear(2, 2)), firstOnly, on);
await underLoss.backward(x, y, { g: batchGrad(), v: hessianVectorProduct() });
// @ts-expect-error: diagHessian needs curvature from the loss
await underLoss.backward(x, y, { h: diagHessian() });

// ── uses are an upper bound: a linear layer without a bias has no shift
type Weights = Quantity<'acme/weights', Tensor, 'matrix', 'columns'>;
const weights: QuantityKind<Weights> = quantity('acme/weights', () => ({
  by: 'rules',
  signal: gradient,
  rules: { matrix: { add: (_before, [term], { k }) => k.full(term?.use.parameter.shape ?? [], 0) } },
}));
await (await extend(linear(2, 1, { bias: false }), loss, on)).backward(x, y, { w: weights() });
// @ts-expect-error: no rule for acme/weights of linear.shift
await (await extend(linear(2, 1), loss, on)).backward(x, y, { w: weights() });

// ── modules of one's own: generic over their children, declared, or unknown
class Residual<Body extends Module> extends Module<LayersOf<Body>> {
  constructor(readonly body: Body) {
    super();
  }
  override forward(x: Value): Value {
    return add(x, this.body.forward(x));
  }
}
const residual = new Residual(sequential(linear(2, 2), fourier(2)));
typed<Linear<Parameter>>()(residual.body.layers[0]);
await (await extend(residual, loss, on)).backward(x, y, { g: batchGrad() });
// @ts-expect-error: the layers inside are known
await (await extend(residual, loss, on)).backward(x, y, { c: kfac() });
// @ts-expect-error: also behind other modules
await (await extend(sequential(relu(), new Residual(residual)), loss, on)).backward(x, y, { c: kfac() });

class Declared extends Module<Linear | Fourier> {
  readonly fc = linear(2, 2);
  readonly wave = fourier(2);
  override forward(x: Value): Value {
    return this.wave.forward(this.fc.forward(x));
  }
}
// @ts-expect-error: the layers are declared
await (await extend(new Declared(), loss, on)).backward(x, y, { c: kfac() });

class Unknown extends Module {
  readonly wave = fourier(2);
  override forward(x: Value): Value {
    return this.wave.forward(x);
  }
}
await (await extend(new Unknown(), loss, on)).backward(x, y, { c: kfac() }); // left to the plan
await (await extend(sequential(linear(2, 2), new Unknown()), loss, on)).backward(x, y, { c: kfac() });
// @ts-expect-error: an unknown neighbour does not hide a known layer
await (await extend(sequential(fourier(2), new Unknown()), loss, on)).backward(x, y, { c: kfac() });
const dynamic: Module[] = [linear(2, 2), relu()];
await (await extend(sequential(...dynamic), loss, on)).backward(x, y, { c: kfac() });
const waves = Array.from({ length: 3 }, () => fourier(2));
// @ts-expect-error: a list of unknown length still knows its kinds
await (await extend(sequential(...waves), loss, on)).backward(x, y, { c: kfac() });
declare const either: typeof wave | typeof through.model | Linear;
// @ts-expect-error: one of two models lacks the rule
await (await extend(either, loss, on)).backward(x, y, { c: kfac() });
declare const requests: Quantities;
await net.backward(x, y, requests);

// ── the registry knows its pairs
typed<true>()({} as Supports<typeof table, 'conv2d', 'kfac'>);
typed<true>()({} as Supports<typeof table, 'embedding', 'batchGrad'>);
const all = registry(table, { layers: [fourier(1), opaque] } as const);
typed<true>()({} as Supports<typeof all, 'acme/fourier', 'kfac'>);
typed<false>()({} as Supports<typeof all, 'acme/fourier', 'kflr'>);
typed<false>()({} as Supports<typeof all, 'acme/opaque', 'diagHessian'>);
table.lookup('conv2d', 'kfac');
// @ts-expect-error: no such layer
table.lookup('conv4d', 'kfac');
// @ts-expect-error: no such quantity
table.lookup('conv2d', 'kfacc');

// ── rules are typed by the use and by the quantity
rulesFor(layerKind<Conv2d>('conv2d'), kfac, {
  matrix: {
    add(before, [term], { k }) {
      typed<MatrixUse | undefined>()(term?.use);
      return before ?? { output: k.full([], 0) };
    },
  },
});
rulesFor(layerKind<Fourier>('acme/fourier'), quantityKind<KFAC>('kfac'), {
  // @ts-expect-error: not a value of kfac
  'acme/frequency': { add: () => 1 },
});
// @ts-expect-error: a convolution has no lookup
rulesFor(layerKind<Conv2d>('conv2d'), kfac, { lookup: { add: (before) => before } });
// @ts-expect-error: not the kind of that layer
layerKind<Conv2d>('linear');
// @ts-expect-error: not the name of that quantity
quantityKind<KFAC>('kflr');

// An annotation cannot promise more than there is; less is fine.
export const less: RuleSet = fourierRules;
// @ts-expect-error: there is no rule for kflr
export const more: RuleSet<Pair<'kfac' | 'kflr', 'acme/fourier.acme/frequency'>> = fourierRules;
type Both = Quantity<'acme/both', Tensor, 'matrix' | 'shift', 'columns'>;
export const incomplete: QuantityKind<Both> = quantity('acme/both', () => ({
  by: 'rules',
  signal: gradient,
  // @ts-expect-error: the type promises a rule for shift
  rules: { matrix: { add: (_before, _terms, { k }) => k.full([], 0) } },
}));

// A model knows its layers, through every nesting.
typed<'linear' | 'relu' | 'embedding' | 'acme/fourier'>()({} as LayersOf<typeof nested>['kind']);
const nested = sequential(sequential(residual, relu()), embedding(3, 2));
