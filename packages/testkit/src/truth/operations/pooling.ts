import { addScaled, type HyperDuals, zeros } from '../hyper-dual.js';
import type { NodeOf } from '../node-of.js';
import { at } from '../positions.js';
import { poolWindows } from './pool-windows.js';

/** The first maximum of each window gets the whole derivative. */
export function maxPool2d(node: NodeOf<'maxPool2d'>, x: HyperDuals): HyperDuals {
  return pooled(node, x, ({ positions }, valueAt) => {
    const largest = Math.max(...positions.map(valueAt));
    return [[positions.findIndex((p) => valueAt(p) === largest), 1]];
  });
}

export function avgPool2d(node: NodeOf<'avgPool2d'>, x: HyperDuals): HyperDuals {
  return pooled(node, x, ({ positions, padded }) => {
    const divisor = node.divisorOverride ?? ((node.countIncludePad ?? true) ? padded : positions.length);
    return positions.map((_, entry) => [entry, 1 / divisor]);
  });
}

type Window = ReturnType<typeof poolWindows>['windows'][number];
type Weights = readonly (readonly [entry: number, weight: number])[];

/** x [N, C, H, W]: each output is a weighted sum of a window's entries. */
function pooled(
  node: NodeOf<'maxPool2d'> | NodeOf<'avgPool2d'>,
  x: HyperDuals,
  weights: (window: Window, valueAt: (position: number) => number) => Weights,
): HyperDuals {
  const [samples = 0, channels = 0, height = 0, width = 0] = x.shape;
  const { outputShape, windows } = poolWindows(node, [height, width]);
  const y = zeros([samples, channels, ...outputShape]);
  for (let plane = 0; plane < samples * channels; plane++) {
    const first = plane * height * width;
    for (const [t, window] of windows.entries()) {
      for (const [entry, weight] of weights(window, (position) => at(x.value, first + position))) {
        addScaled(y, plane * windows.length + t, x, first + at(window.positions, entry), weight);
      }
    }
  }
  return y;
}
