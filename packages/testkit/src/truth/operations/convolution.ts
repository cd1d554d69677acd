import { addProduct, addScaled, type HyperDuals, zeros } from '../hyper-dual.js';
import type { ConvolutionNode } from '../node-of.js';
import { at, elements } from '../positions.js';
import { convolutionWindows } from './convolution-windows.js';

/** x [N, I, …spatial], weight [O, I/G, …kernel], shifts [O] each → [N, O, …]: cross-correlation, group by group. */
export function convolution(
  node: ConvolutionNode,
  x: HyperDuals,
  weight: HyperDuals,
  shifts: readonly HyperDuals[],
): HyperDuals {
  const [samples = 0, inputs = 0, ...spatial] = x.shape;
  const [outputs = 0, inputsPerGroup = 0, ...kernel] = weight.shape;
  const { outputShape, sources } = convolutionWindows(node, spatial, kernel);
  const [positions, offsets, inputPositions] = [elements(outputShape), elements(kernel), elements(spatial)];
  const outputsPerGroup = outputs / (node.groups ?? 1);
  const y = zeros([samples, outputs, ...outputShape]);
  for (let n = 0; n < samples; n++) {
    for (let o = 0; o < outputs; o++) {
      const firstInput = Math.floor(o / outputsPerGroup) * inputsPerGroup;
      for (let t = 0; t < positions; t++) {
        const out = (n * outputs + o) * positions + t;
        for (const [k, source] of at(sources, t).entries()) {
          if (source === undefined) continue;
          for (let i = 0; i < inputsPerGroup; i++) {
            const from = (n * inputs + firstInput + i) * inputPositions + source;
            addProduct(y, out, weight, (o * inputsPerGroup + i) * offsets + k, x, from);
          }
        }
        for (const shift of shifts) addScaled(y, out, shift, o);
      }
    }
  }
  return y;
}
