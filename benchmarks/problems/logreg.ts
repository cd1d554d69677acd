import { flatten, linear, sequential } from '@gradpack/layers';
import type { Problem } from '../problem.js';

export const logreg: Problem = {
  name: 'logreg',
  description: 'Flatten, Linear 784→10, on 1×28×28',
  batch: 128,
  input: [1, 28, 28],
  classes: 10,
  model: () => sequential(flatten(), linear(784, 10)),
};
