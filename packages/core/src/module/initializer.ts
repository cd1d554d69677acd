/** How a parameter begins, drawn by Philox from the model's seed and the parameter's path. */
export type Initializer =
  | { readonly kind: 'constant'; readonly value: number }
  /** Uniform in (−bound, bound). */
  | { readonly kind: 'uniform'; readonly bound: number }
  /** Normal with mean 0 and this deviation; row `zeroRow` (of axis 0) is 0. */
  | { readonly kind: 'normal'; readonly deviation: number; readonly zeroRow?: number };
