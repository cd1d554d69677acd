import { diagGGNExact, diagGGNMC, diagHessian, kfac, kflr, sumGradSquared, variance } from 'gradpack';
import type { Batch } from './data-set.js';
import type { DigitsNet } from './net.js';
import { type Spectrum, spectraOf } from './spectrum.js';
import { squaredNorm, sum } from './sums.js';

/** What one extended backward pass tells about a parameter. */
export interface ParameterReport {
  readonly name: string;
  readonly shape: readonly number[];
  readonly gradientNorm: number;
  /** Root mean square of the individual gradients' norms. */
  readonly individualNorm: number;
  /** Root of the summed variance of the individual gradients. */
  readonly noise: number;
  readonly ggnTrace: number;
  /** The same from sampled labels. */
  readonly sampledGgnTrace: number;
  readonly hessianTrace: number;
  /** Of the Kronecker factors, the output's first: from sampled labels, and exact. */
  readonly kfac: readonly Spectrum[];
  readonly kflr: readonly Spectrum[];
}

/** Gradient, moments, curvature diagonals and Kronecker factors of a batch, all from one pass. */
export async function inspect(net: DigitsNet, { images, labels }: Batch): Promise<readonly ParameterReport[]> {
  using step = await net.backward(images, labels, {
    moment: sumGradSquared(),
    variance: variance(),
    ggn: diagGGNExact(),
    sampledGgn: diagGGNMC({ samples: 10 }),
    hessian: diagHessian(),
    kfac: kfac(),
    kflr: kflr(),
  });
  const read = await step.read();
  const N = labels.length;
  return [...read.gradient].map(([name, { shape }, gradient]) => ({
    name,
    shape,
    gradientNorm: Math.sqrt(squaredNorm(gradient.data)),
    // individual gradients carry the 1/N of the mean
    individualNorm: Math.sqrt(N * sum(read.moment.get(name).data)),
    noise: N * Math.sqrt(sum(read.variance.get(name).data)),
    ggnTrace: sum(read.ggn.get(name).data),
    sampledGgnTrace: sum(read.sampledGgn.get(name).data),
    hessianTrace: sum(read.hessian.get(name).data),
    kfac: spectraOf(read.kfac.get(name)),
    kflr: spectraOf(read.kflr.get(name)),
  }));
}
