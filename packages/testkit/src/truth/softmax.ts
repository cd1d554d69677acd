import type { HyperDuals } from './hyper-dual.js';
import { at, elements } from './positions.js';

/** Probabilities of the classes of sample n at position t; logits [N, C, …positions]. */
export function softmaxAt(logits: HyperDuals, n: number, t: number): number[] {
  const [, classes = 0, ...axes] = logits.shape;
  const positions = elements(axes);
  const entries = Array.from({ length: classes }, (_, c) => at(logits.value, (n * classes + c) * positions + t));
  const largest = Math.max(...entries);
  const exponentials = entries.map((logit) => Math.exp(logit - largest));
  const sum = exponentials.reduce((total, exponential) => total + exponential, 0);
  return exponentials.map((exponential) => exponential / sum);
}
