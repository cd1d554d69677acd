import { avgPool2d, conv2d, flatten, relu, sequential, zeroPad2d } from '@gradpack/layers';
import type { Problem } from '../problem.js';

/** TensorFlow's "same" convolution of an even extent with stride 2. */
const halve = (channels: number) => [zeroPad2d([0, 1, 0, 1]), conv2d(channels, channels, 3, { stride: 2 })] as const;

/** DeepOBS' All-CNN-C for CIFAR-100, without dropout. */
export const allCnnC: Problem = {
  name: 'allcnnc',
  description: 'nine convolutions of 96 and 192 channels with ReLU, average-pooling, on 3×32×32, 100 classes',
  batch: 8,
  batches: { DiagGGNExact: 2, BatchDiagGGNExact: 2, SqrtGGNExact: 1, KFLR: 2, DiagHessian: 2, BatchDiagHessian: 2 },
  input: [3, 32, 32],
  classes: 100,
  model: () =>
    sequential(
      conv2d(3, 96, 3, { padding: 1 }),
      relu(),
      conv2d(96, 96, 3, { padding: 1 }),
      relu(),
      ...halve(96),
      relu(),
      conv2d(96, 192, 3, { padding: 1 }),
      relu(),
      conv2d(192, 192, 3, { padding: 1 }),
      relu(),
      ...halve(192),
      relu(),
      conv2d(192, 192, 3),
      relu(),
      conv2d(192, 192, 1),
      relu(),
      conv2d(192, 100, 1),
      relu(),
      avgPool2d(6),
      flatten(),
    ),
};
