import { linear, relu, sequential } from '@gradpack/layers';
import type { Problem } from '../problem.js';

export const mlp: Problem = {
  name: 'mlp',
  description: '784-128-10 with ReLU',
  batch: 128,
  input: [784],
  classes: 10,
  model: () => sequential(linear(784, 128), relu(), linear(128, 10)),
};
