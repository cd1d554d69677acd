import type { NetSpec, SpecArray } from '../net-spec.js';
import { evaluate } from '../truth/evaluate.js';
import { elements } from '../truth/positions.js';
import { drawFrom } from './draw.js';

/** Labels for the sampled quantities, as `truth` wants them: any are good for comparing two implementations. [M, …target] */
export function randomLabels(net: NetSpec, random: () => number, samples: number): SpecArray {
  const draw = drawFrom(random);
  const classes = evaluate(net).output.shape[1] ?? 0;
  const label = net.loss.kind === 'mse' ? draw.normal : () => draw.whole(0, classes - 1);
  const shape = [samples, ...net.loss.target.shape];
  return { shape, data: draw.list(elements(shape), label) };
}
