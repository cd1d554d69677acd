import type { HostArray, Quantities } from '@gradpack/core';
import { batchGrad, batchL2Grad, sumGradSquared, variance } from '@gradpack/extensions-firstorder';
import {
  batchDiagGGNExact,
  batchDiagGGNMC,
  batchDiagHessian,
  diagGGNExact,
  diagGGNMC,
  diagHessian,
  ggnVectorProduct,
  hessianVectorProduct,
  kfac,
  kflr,
  sqrtGGNExact,
  sqrtGGNMC,
} from '@gradpack/extensions-secondorder';

export interface Draws {
  readonly samples: number;
  readonly labels: { readonly shape: readonly number[]; readonly data: readonly number[] };
}

/** The quantities by the names that goldens and the truth use, with given labels where something is sampled. */
export function quantitiesNamed(names: readonly string[], draws?: Draws): Quantities {
  const labels: HostArray | undefined = draws && {
    shape: draws.labels.shape,
    data: Float64Array.from(draws.labels.data),
  };
  const sampled = draws && labels ? { samples: draws.samples, labels } : {};
  const table: Quantities = {
    batchGrad: batchGrad(),
    batchL2Grad: batchL2Grad(),
    sumGradSquared: sumGradSquared(),
    variance: variance(),
    diagGgnExact: diagGGNExact(),
    batchDiagGgnExact: batchDiagGGNExact(),
    sqrtGgnExact: sqrtGGNExact(),
    diagGgnMc: diagGGNMC(sampled),
    batchDiagGgnMc: batchDiagGGNMC(sampled),
    sqrtGgnMc: sqrtGGNMC(sampled),
    kfac: kfac(sampled),
    kflr: kflr(),
    diagHessian: diagHessian(),
    batchDiagHessian: batchDiagHessian(),
    hessianVectorProduct: hessianVectorProduct(),
    ggnVectorProduct: ggnVectorProduct(),
  };
  return Object.fromEntries(Object.entries(table).filter(([name]) => names.includes(name)));
}
