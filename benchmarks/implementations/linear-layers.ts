import type { Data, Floats } from '../data.js';

/** Linear layers with ReLU in between, their inputs flat. */
export interface LinearLayers {
  /** Of weight, bias, weight, bias, … */
  readonly names: readonly string[];
  /** Weights [O, I], biases [O] */
  readonly parameters: readonly Floats[];
  /** [N, I] */
  readonly images: Floats;
}

/** What the JavaScript peers take part with; undefined for networks with other layers. */
export function linearLayers({ weights, images }: Data): LinearLayers | undefined {
  const parameters = Object.values(weights);
  if (parameters.some(({ shape }) => shape.length > 2)) return undefined;
  const [N = 0, ...features] = images.shape;
  const flat = { ...images, shape: [N, features.reduce((product, extent) => product * extent, 1)] };
  return { names: Object.keys(weights), parameters, images: flat };
}
