import * as core from '@gradpack/core';
import type { Fourier } from './fourier.js';

type KFAC = core.Quantity<'kfac', { readonly output: core.Tensor }>;

/** `output = Σ_{v,n} G Gᵀ` [F, F] */
export const fourierRules: core.RuleSet<core.Pair<'kfac', 'acme/fourier.acme/frequency'>> =
  /* @__PURE__ */ core.rulesFor(
    /* @__PURE__ */ core.layerKind<Fourier>('acme/fourier'),
    /* @__PURE__ */ core.quantityKind<KFAC>('kfac'),
    {
      'acme/frequency': {
        add(before, terms, { k, individual }) {
          const G = individual(terms);
          const F = G.shape[2] as number;
          const into = before && { into: k.reshape(before.output, [1, F, F]) };
          return { output: k.reshape(k.gram([core.featuresLast(G, F)], 'sum', into), [F, F]) };
        },
      },
    },
  );
