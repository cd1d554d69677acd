import { addProduct, addScaled, type HyperDuals, zeros } from '../hyper-dual.js';
import type { NodeOf } from '../node-of.js';
import { at, elements } from '../positions.js';

/** Evaluation mode. x [N, C, …], weight and bias [C]: y = weight · (x − mean)/√(var + eps) + bias per channel. */
export function batchNorm2d(
  node: NodeOf<'batchNorm2d'>,
  x: HyperDuals,
  weight: HyperDuals,
  bias: HyperDuals,
): HyperDuals {
  const [samples = 0, channels = 0, ...spatial] = x.shape;
  const positions = elements(spatial);
  const y = zeros(x.shape);
  const normalized = zeros(x.shape);
  for (let n = 0; n < samples; n++) {
    for (let c = 0; c < channels; c++) {
      const inverseDeviation = 1 / Math.sqrt(at(node.runningVar.data, c) + node.eps);
      for (let t = 0; t < positions; t++) {
        const i = (n * channels + c) * positions + t;
        addScaled(normalized, i, x, i, inverseDeviation);
        normalized.value[i] = (at(x.value, i) - at(node.runningMean.data, c)) * inverseDeviation;
        addProduct(y, i, weight, c, normalized, i);
        addScaled(y, i, bias, c);
      }
    }
  }
  return y;
}
