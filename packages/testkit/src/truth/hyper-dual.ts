import { elements } from './positions.js';

/**
 * An array of hyper-dual numbers x + x₁e₁ + x₂e₂ + x₁₂e₁e₂ with e₁² = e₂² = 0.
 * Seeded with directions d₁ and d₂, a function f comes out with f, ∂f·d₁, ∂f·d₂ and d₁ᵀ∂²f d₂, exactly.
 */
export interface HyperDuals {
  readonly shape: readonly number[];
  readonly value: Float64Array;
  readonly e1: Float64Array;
  readonly e2: Float64Array;
  readonly e12: Float64Array;
}

export function zeros(shape: readonly number[]): HyperDuals {
  const length = elements(shape);
  return {
    shape,
    value: new Float64Array(length),
    e1: new Float64Array(length),
    e2: new Float64Array(length),
    e12: new Float64Array(length),
  };
}

export function seeded(
  array: { readonly shape: readonly number[]; readonly data?: ArrayLike<number> },
  d1?: ArrayLike<number>,
  d2?: ArrayLike<number>,
): HyperDuals {
  const result = zeros(array.shape);
  if (array.data) result.value.set(array.data);
  if (d1) result.e1.set(d1);
  if (d2) result.e2.set(d2);
  return result;
}

/** The same numbers in another shape. */
export function reshaped(x: HyperDuals, shape: readonly number[]): HyperDuals {
  return { ...x, shape };
}

/** out[o] += a[i] · b[j] */
export function addProduct(out: HyperDuals, o: number, a: HyperDuals, i: number, b: HyperDuals, j: number): void {
  const [x, x1, x2, x12] = [a.value[i] as number, a.e1[i] as number, a.e2[i] as number, a.e12[i] as number];
  const [y, y1, y2, y12] = [b.value[j] as number, b.e1[j] as number, b.e2[j] as number, b.e12[j] as number];
  (out.value[o] as number) += x * y;
  (out.e1[o] as number) += x1 * y + x * y1;
  (out.e2[o] as number) += x2 * y + x * y2;
  (out.e12[o] as number) += x12 * y + x1 * y2 + x2 * y1 + x * y12;
}

/** out[o] += factor · a[i] */
export function addScaled(out: HyperDuals, o: number, a: HyperDuals, i: number, factor = 1): void {
  (out.value[o] as number) += factor * (a.value[i] as number);
  (out.e1[o] as number) += factor * (a.e1[i] as number);
  (out.e2[o] as number) += factor * (a.e2[i] as number);
  (out.e12[o] as number) += factor * (a.e12[i] as number);
}

/** out[o] = f(a[i]), given f, f′ and f″ there. */
export function compose(
  out: HyperDuals,
  o: number,
  a: HyperDuals,
  i: number,
  [f, df, ddf]: readonly [number, number, number],
): void {
  const [x1, x2, x12] = [a.e1[i] as number, a.e2[i] as number, a.e12[i] as number];
  out.value[o] = f;
  out.e1[o] = df * x1;
  out.e2[o] = df * x2;
  out.e12[o] = df * x12 + ddf * x1 * x2;
}
