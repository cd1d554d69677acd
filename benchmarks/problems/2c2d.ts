import { conv2d, flatten, linear, maxPool2d, relu, sequential } from '@gradpack/layers';
import type { Problem } from '../problem.js';

/** DeepOBS' network for Fashion-MNIST. */
export const twoC2D: Problem = {
  name: '2c2d',
  description: 'two 5×5 convolutions of 32 and 64 channels with max-pooling, 3136-1024-10 with ReLU, on 1×28×28',
  batch: 32,
  batches: { SqrtGGNExact: 2 },
  input: [1, 28, 28],
  classes: 10,
  model: () =>
    sequential(
      conv2d(1, 32, 5, { padding: 2 }),
      relu(),
      maxPool2d(2),
      conv2d(32, 64, 5, { padding: 2 }),
      relu(),
      maxPool2d(2),
      flatten(),
      linear(3136, 1024),
      relu(),
      linear(1024, 10),
    ),
};
