import { cpu } from '@gradpack/backend-cpu';
import {
  add,
  extend,
  type GradPackError,
  type HostArray,
  type LayersOf,
  Module,
  mul,
  type Quantities,
  registry,
  type Value,
} from '@gradpack/core';
import { batchGrad, batchL2Grad, sumGradSquared, variance } from '@gradpack/extensions-firstorder';
import * as second from '@gradpack/extensions-secondorder';
import { conv2d, flatten, linear, sequential, tanh } from '@gradpack/layers';
import { describe, expect, test } from 'vitest';
import { errorsAgainstDifferences } from '../registry/against-differences.js';
import { lossOf, type Subject } from '../registry/slopes.js';
import { type Fourier, fourier, fourierRules } from './fourier-layer/src/index.js';
import { thirdMoment } from './third-moment/src/index.js';

type Sampled = { readonly samples: number; readonly labels: HostArray };

/** Everything that a curved own use allows. */
const allowed = (sampled: Sampled): Quantities => ({
  individual: batchGrad(),
  norms: batchL2Grad(),
  second: sumGradSquared(),
  noise: variance(),
  third: thirdMoment(),
  ggn: second.diagGGNExact(),
  ggnEach: second.batchDiagGGNExact(),
  root: second.sqrtGGNExact(),
  sampled: second.diagGGNMC(sampled),
  sampledEach: second.batchDiagGGNMC(sampled),
  sampledRoot: second.sqrtGGNMC(sampled),
  hvp: second.hessianVectorProduct(),
  gvp: second.ggnVectorProduct(),
});
const kronecker = (sampled: Sampled): Quantities => ({ kfac: second.kfac(sampled) });
const hessian = (): Quantities => ({ diagonal: second.diagHessian(), each: second.batchDiagHessian() });

const numbers = (...shape: number[]): HostArray => ({
  shape,
  data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(2.3 * i + shape.length)),
});
const classes = (N: number, C: number): HostArray => ({
  shape: [N],
  data: Int32Array.from({ length: N }, (_, i) => (2 * i + 1) % C),
});

class Residual<Body extends Module> extends Module<LayersOf<Body>> {
  constructor(readonly body: Body) {
    super();
  }
  override forward(x: Value): Value {
    return add(this.body.forward(x), mul(x, 0.5));
  }
}

/** One wave twice in sequence, and once beside itself. */
class Tied extends Module {
  readonly wave = fourier(3);
  readonly last = linear(3, 2);
  override forward(x: Value): Value {
    const once = this.wave.forward(x);
    return this.last.forward(mul(this.wave.forward(once), once));
  }
}

const nets: Readonly<Record<string, () => Subject>> = {
  'between linear layers': () => ({
    model: sequential(linear(3, 4), fourier(4), linear(4, 2)),
    inputs: [numbers(3, 3)],
    target: numbers(3, 2),
    loss: 'mse',
  }),
  'as the last layer, over middle axes': () => ({
    model: sequential(linear(3, 2), tanh(), fourier(2)),
    inputs: [numbers(3, 4, 3)],
    target: numbers(3, 4, 2),
    loss: 'mse',
  }),
  'in a residual net': () => ({
    model: sequential(linear(3, 3), new Residual(sequential(fourier(3), linear(3, 3), fourier(3))), linear(3, 3)),
    inputs: [numbers(4, 3)],
    target: classes(4, 3),
    loss: 'crossEntropy',
  }),
  'tied in sequence and in parallel': () => ({
    model: new Tied(),
    inputs: [numbers(3, 3)],
    target: numbers(3, 2),
    loss: 'mse',
  }),
  'behind a convolution, over its positions': () => ({
    model: sequential(conv2d(1, 2, 2), fourier(3), flatten(), linear(12, 3)),
    inputs: [numbers(3, 1, 3, 4)],
    target: classes(3, 3),
    loss: 'crossEntropy',
  }),
};

function freezeWaves(module: Module): void {
  if ('frequency' in module) (module as Fourier).frequency.trainable = false;
  for (const [, child] of module.namedChildren()) freezeWaves(child);
}

const backend = cpu({ precision: 'float64' });
const TOLERANCE = 1e-6;

describe.each(Object.entries(nets))('a third party’s layer %s', (_, make) => {
  test('every first-order, Gauss-Newton and product quantity equals its definition', async () => {
    const errors = await errorsAgainstDifferences(make(), backend, allowed);
    expect(errors.filter(({ error }) => !(error <= TOLERANCE))).toEqual([]);
    expect(new Set(errors.map(({ quantity }) => quantity)).size).toBe(14);
  });
  test('and so does kfac with the rule it brings', async () => {
    const errors = await errorsAgainstDifferences(make(), backend, kronecker, registry(fourierRules));
    expect(errors.filter(({ error }) => !(error <= TOLERANCE))).toEqual([]);
  });
  test('with the layer frozen, Hessian diagonals of the others', async () => {
    const subject = make();
    freezeWaves(subject.model);
    const errors = await errorsAgainstDifferences(subject, backend, hessian);
    expect(errors.filter(({ error }) => !(error <= TOLERANCE))).toEqual([]);
    expect(errors.length).toBeGreaterThan(0);
  });
});

describe('what a third party’s layer lacks is refused by the plan, before anything runs', () => {
  const refusal = async (quantities: Quantities): Promise<GradPackError> => {
    const subject = nets['between linear layers']!();
    const net = await extend(subject.model, lossOf(subject), { backend });
    const before = backend.memory().live;
    const error = await net.backward(subject.inputs as never, subject.target, quantities as never).catch((e) => e);
    expect(backend.memory().live).toBe(before);
    await net.dispose();
    return error;
  };
  test('Hessian diagonals: the layer is not linear in its parameter', async () => {
    expect((await refusal(hessian())).message).toMatchInlineSnapshot(`
      "GRADPACK-UNSUPPORTED-PAIR: 2 pairs are not supported: diagHessian of 1.frequency: acme/fourier is not linear in it; batchDiagHessian of 1.frequency: acme/fourier is not linear in it
        where: net.backward
        expected: quantities that are defined for every layer of the net
        got: diagHessian of 1.frequency: acme/fourier is not linear in it; batchDiagHessian of 1.frequency: acme/fourier is not linear in it
        fix: leave the quantity out, freeze the parameter, register rules for it, or pass onMissing: 'skip'"
    `);
  });
  test('kfac without the rule that it brings', async () => {
    expect((await refusal({ kfac: second.kfac(), kflr: second.kflr() })).message).toMatchInlineSnapshot(`
      "GRADPACK-UNSUPPORTED-PAIR: 2 pairs are not supported: no rule for kfac of acme/fourier.acme/frequency (1.frequency); no rule for kflr of acme/fourier.acme/frequency (1.frequency)
        where: net.backward
        expected: quantities that are defined for every layer of the net
        got: no rule for kfac of acme/fourier.acme/frequency (1.frequency); no rule for kflr of acme/fourier.acme/frequency (1.frequency)
        fix: leave the quantity out, freeze the parameter, register rules for it, or pass onMissing: 'skip'"
    `);
  });
});
