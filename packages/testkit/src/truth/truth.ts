import type { NetSpec, SpecArray } from '../net-spec.js';
import { parameterDerivatives } from './derivatives.js';
import { exactColumns } from './exact-columns.js';
import { batchGrad, batchL2Grad, gradient, sumGradSquared, variance } from './first-order.js';
import { batchDiagGgnExact, batchDiagGgnMc, diagGgnExact, diagGgnMc, sqrtGgn } from './ggn.js';
import { batchDiagHessian, diagHessian } from './hessian.js';
import { type KroneckerFactors, kroneckerFactors } from './kronecker.js';
import { lazy, once } from './lazy.js';
import { lossHessian } from './loss-hessian.js';
import type { PerParameter } from './per-parameter.js';
import { at } from './positions.js';
import { sampledColumns } from './sampled-columns.js';

/**
 * Every quantity of a net by its definition, from exact derivatives, per trainable parameter that the output depends on.
 * The reduction factor and the scale of the loss are in all of them, as in BackPACK.
 * Each is computed when it is first read. For a negative scale the factors (sqrt…, kfac, kflr) throw a RangeError.
 */
export interface Truth {
  readonly gradient: PerParameter;
  /** [N, *θ] */
  readonly batchGrad: PerParameter;
  /** [N], squared norms */
  readonly batchL2Grad: PerParameter;
  readonly sumGradSquared: PerParameter;
  /** Over the N individual gradients, divided by N. */
  readonly variance: PerParameter;
  readonly diagGgnExact: PerParameter;
  /** [N, *θ] */
  readonly batchDiagGgnExact: PerParameter;
  /** [V, N, *θ]: V = C·positions of cross-entropy, all features of MSE */
  readonly sqrtGgnExact: PerParameter;
  readonly diagGgnMc: PerParameter;
  /** [N, *θ] */
  readonly batchDiagGgnMc: PerParameter;
  /** [M, N, *θ] */
  readonly sqrtGgnMc: PerParameter;
  readonly kfac: PerParameter<KroneckerFactors>;
  readonly kflr: PerParameter<KroneckerFactors>;
  readonly diagHessian: PerParameter;
  /** [N, *θ] */
  readonly batchDiagHessian: PerParameter;
}

export type TruthQuantity = keyof Truth;

export interface TruthOptions {
  /**
   * Sampled labels, which the sampled quantities (…Mc, kfac) need: class indices [M, N, …positions] of cross-entropy,
   * standard normals [M, N, …features] of MSE.
   */
  readonly labels?: SpecArray;
}

export function truth(net: NetSpec, { labels }: TruthOptions = {}): Truth {
  const samples = at(net.loss.target.shape, 0);
  const all = once(() => parameterDerivatives(net));
  const hessian = once(() => lossHessian(net));
  const exact = once(() => exactColumns(net));
  const sampled = once(() => {
    if (!labels) throw new RangeError('sampled quantities need labels');
    return sampledColumns(net, labels);
  });
  return lazy<Truth>({
    gradient: () => gradient(all()),
    batchGrad: () => batchGrad(all(), samples),
    batchL2Grad: () => batchL2Grad(all(), samples),
    sumGradSquared: () => sumGradSquared(all()),
    variance: () => variance(all()),
    diagGgnExact: () => diagGgnExact(all(), hessian()),
    batchDiagGgnExact: () => batchDiagGgnExact(all(), hessian()),
    sqrtGgnExact: () => sqrtGgn(all(), exact(), samples),
    diagGgnMc: () => diagGgnMc(all(), sampled(), samples),
    batchDiagGgnMc: () => batchDiagGgnMc(all(), sampled(), samples),
    sqrtGgnMc: () => sqrtGgn(all(), sampled(), samples),
    kfac: () => kroneckerFactors(net, sampled()),
    kflr: () => kroneckerFactors(net, exact()),
    diagHessian: () => diagHessian(all()),
    batchDiagHessian: () => batchDiagHessian(all(), samples),
  });
}
