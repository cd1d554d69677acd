import {
  ALL_CARRIES,
  type Carry,
  expression,
  GradPackError,
  type Layer,
  LINEAR_TRAITS,
  layer,
  type Shape,
  sizeOf,
  type TensorRef,
} from '@gradpack/core';

const { input, less, mul, where } = expression;

export type Dropout = Layer<'dropout', never, Carry>;

/**
 * In training each entry is 0 with probability `p`, else divided by 1 − p; in evaluation `y = x`. The draws depend on the net's
 * seed, its step and the place of the call alone, so all quantities of a step see one mask.
 *
 * Throws GRADPACK-OPTION unless 0 ≤ p ≤ 1.
 *
 * @example
 * const model = sequential(linear(784, 128), relu(), dropout(0.2), linear(128, 10));
 */
export function dropout(p = 0.5): Dropout {
  if (!(p >= 0 && p <= 1))
    throw new GradPackError('GRADPACK-OPTION', 'p is not a probability', {
      where: 'dropout',
      expected: 'a number from 0 to 1',
      got: p,
      fix: 'pass the share of entries to drop',
    });
  const mask = where(less(input(0), p), 0, p === 1 ? 0 : 1 / (1 - p));
  return layer<Dropout>({
    kind: 'dropout',
    key: `dropout(${p})`,
    uses: [],
    carries: ALL_CARRIES,
    accepts: 'float',
    traits: (mode) => (mode === 'train' ? { ...LINEAR_TRAITS, sampleFree: false } : LINEAR_TRAITS),
    outputShapes: (shape: Shape) => [shape],
    linearize([value], k, { mode, stream }) {
      const x = value as TensorRef;
      const [N = 1, ...features] = x.shape;
      const kept =
        mode === 'train' ? k.reshape(k.map(mask, [k.random(stream, 0, [1, N, sizeOf(features)])]), x.shape) : undefined;
      const times = (t: TensorRef): TensorRef => (kept ? k.map(mul(input(0), input(1)), [t, kept]) : t);
      return {
        outputs: [times(x)],
        uses: [],
        pull: ([columns], want) => ({ inputs: [columns && want.inputs[0] ? times(columns) : undefined], terms: [] }),
        push: ([tangents]) => [tangents && times(tangents)],
      };
    },
  });
}
