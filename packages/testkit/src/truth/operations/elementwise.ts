import { compose, type HyperDuals, zeros } from '../hyper-dual.js';

/** f, f′, f″ at x. */
type Curve = (x: number) => readonly [number, number, number];

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

export const CURVES: Readonly<Record<'relu' | 'sigmoid' | 'tanh' | 'identity', Curve>> = {
  relu: (x) => (x > 0 ? [x, 1, 0] : [0, 0, 0]),
  sigmoid: (x) => {
    const s = sigmoid(x);
    return [s, s * (1 - s), s * (1 - s) * (1 - 2 * s)];
  },
  tanh: (x) => {
    const t = Math.tanh(x);
    return [t, 1 - t * t, -2 * t * (1 - t * t)];
  },
  identity: (x) => [x, 1, 0],
};

export function elementwise(curve: Curve, x: HyperDuals): HyperDuals {
  const y = zeros(x.shape);
  for (const [i, value] of x.value.entries()) compose(y, i, x, i, curve(value));
  return y;
}
