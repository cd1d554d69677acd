import { addProduct, addScaled, type HyperDuals, zeros } from '../hyper-dual.js';
import { at } from '../positions.js';

export function add(terms: readonly HyperDuals[]): HyperDuals {
  const sum = zeros(at(terms, 0).shape);
  for (const term of terms) for (const i of sum.value.keys()) addScaled(sum, i, term, i);
  return sum;
}

export function mul([first, ...others]: readonly HyperDuals[]): HyperDuals {
  if (!first) throw new RangeError('a product of nothing');
  return others.reduce((product, other) => {
    const next = zeros(product.shape);
    for (const i of next.value.keys()) addProduct(next, i, product, i, other, i);
    return next;
  }, first);
}

export function scale(x: HyperDuals, factor: number): HyperDuals {
  return weighted(x, () => factor);
}

export function dropout(x: HyperDuals, p: number, mask?: ArrayLike<number>): HyperDuals {
  return mask ? weighted(x, (i) => (at(mask, i) === 0 ? 0 : 1 / (1 - p))) : x;
}

function weighted(x: HyperDuals, weight: (i: number) => number): HyperDuals {
  const y = zeros(x.shape);
  for (const i of y.value.keys()) addScaled(y, i, x, i, weight(i));
  return y;
}
