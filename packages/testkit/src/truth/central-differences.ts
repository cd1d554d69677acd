import type { SpecArray } from '../net-spec.js';
import { at } from './positions.js';

/** A smooth function of named arrays, for instance the loss of a third party's layer as a function of its parameters. */
export type Differentiable = (parameters: Readonly<Record<string, SpecArray>>) => number;

/**
 * Where f is around 1, rounding makes errors of 1e-12 in gradients and 1e-8 in second derivatives. A function without
 * kinks nearby may take 1e-3: 1e-9 in second derivatives.
 */
const DEFAULT_STEP = 2e-4;

/**
 * ∂f/∂θ by central differences of fourth order, to be compared at 1e-6. The function must be smooth within 2 steps of each
 * entry: kinks nearer than that are not differentiated but averaged.
 *
 * @example
 * gradientByDifferences(({ w }) => w.data.reduce((sum, x) => sum + x ** 2, 0), { w: { shape: [2], data: [1, 2] } });
 * // { w: { shape: [2], data: [2, 4] } }
 */
export function gradientByDifferences(
  f: Differentiable,
  parameters: Readonly<Record<string, SpecArray>>,
  step: number = DEFAULT_STEP,
): Record<string, SpecArray> {
  return perEntry(f, parameters, (along) => {
    const first = along(step) - along(-step);
    const second = along(2 * step) - along(-2 * step);
    return (8 * first - second) / (12 * step);
  });
}

/** ∂²f/∂θ² of each entry with itself, likewise. */
export function hessianDiagonalByDifferences(
  f: Differentiable,
  parameters: Readonly<Record<string, SpecArray>>,
  step: number = DEFAULT_STEP,
): Record<string, SpecArray> {
  return perEntry(f, parameters, (along) => {
    const first = along(step) + along(-step) - 2 * along(0);
    const second = along(2 * step) + along(-2 * step) - 2 * along(0);
    return (16 * first - second) / (12 * step ** 2);
  });
}

function perEntry(
  f: Differentiable,
  parameters: Readonly<Record<string, SpecArray>>,
  derivative: (along: (distance: number) => number) => number,
): Record<string, SpecArray> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { shape, data }]) => [
      name,
      {
        shape,
        data: data.map((_, entry) =>
          derivative((distance) => {
            const moved = data.with(entry, at(data, entry) + distance);
            return f({ ...parameters, [name]: { shape, data: moved } });
          }),
        ),
      },
    ]),
  );
}
