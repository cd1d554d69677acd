import { addScaled, type HyperDuals, zeros } from '../hyper-dual.js';
import { at } from '../positions.js';

/** ids [N, …], weight [words, H], shifts [H] each → [N, …, H]. The row `paddingIdx` is read, but it and the shifts have no derivative there. */
export function embedding(
  ids: HyperDuals,
  weight: HyperDuals,
  shifts: readonly HyperDuals[],
  paddingIdx?: number,
): HyperDuals {
  const width = at(weight.shape, 1);
  const y = zeros([...ids.shape, width]);
  for (const [t, id] of ids.value.entries()) {
    for (let h = 0; h < width; h++) {
      if (id === paddingIdx) {
        y.value[t * width + h] = at(weight.value, id * width + h);
      } else {
        addScaled(y, t * width + h, weight, id * width + h);
        for (const shift of shifts) addScaled(y, t * width + h, shift, h);
      }
    }
  }
  return y;
}
