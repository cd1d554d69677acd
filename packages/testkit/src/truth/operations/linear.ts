import { addProduct, addScaled, type HyperDuals, zeros } from '../hyper-dual.js';
import { at, elements } from '../positions.js';

/** x [N, …, I], weight [O, I], shifts [O] each: y[…, o] = Σ_i weight[o, i] x[…, i] + Σ shifts[o]. */
export function linear(x: HyperDuals, weight: HyperDuals, shifts: readonly HyperDuals[]): HyperDuals {
  const [outputs, inputs] = [at(weight.shape, 0), at(weight.shape, 1)];
  const rows = elements(x.shape) / inputs;
  const y = zeros([...x.shape.slice(0, -1), outputs]);
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < outputs; o++) {
      for (let i = 0; i < inputs; i++) addProduct(y, row * outputs + o, weight, o * inputs + i, x, row * inputs + i);
      for (const shift of shifts) addScaled(y, row * outputs + o, shift, o);
    }
  }
  return y;
}
