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
import type { QuantityName } from '../quantities.js';

/** One sample with the given labels. */
export function quantitiesNamed(name: QuantityName, labels: HostArray): Quantities {
  return TABLE[name]({ labels });
}

const TABLE: Readonly<Record<QuantityName, (draws: { readonly labels: HostArray }) => Quantities>> = {
  gradient: () => ({}),
  BatchGrad: () => ({ found: batchGrad() }),
  BatchL2Grad: () => ({ found: batchL2Grad() }),
  SumGradSquared: () => ({ found: sumGradSquared() }),
  Variance: () => ({ found: variance() }),
  FirstOrderAll: () => ({
    batchGrad: batchGrad(),
    batchL2Grad: batchL2Grad(),
    sumGradSquared: sumGradSquared(),
    variance: variance(),
  }),
  DiagGGNMC: (draws) => ({ found: diagGGNMC(draws) }),
  BatchDiagGGNMC: (draws) => ({ found: batchDiagGGNMC(draws) }),
  SqrtGGNMC: (draws) => ({ found: sqrtGGNMC(draws) }),
  KFAC: (draws) => ({ found: kfac(draws) }),
  DiagGGNExact: () => ({ found: diagGGNExact() }),
  BatchDiagGGNExact: () => ({ found: batchDiagGGNExact() }),
  SqrtGGNExact: () => ({ found: sqrtGGNExact() }),
  KFLR: () => ({ found: kflr() }),
  DiagHessian: () => ({ found: diagHessian() }),
  BatchDiagHessian: () => ({ found: batchDiagHessian() }),
  GGNVectorProduct: () => ({ multiply: ggnVectorProduct() }),
  HessianVectorProduct: () => ({ multiply: hessianVectorProduct() }),
};
