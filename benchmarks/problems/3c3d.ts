import { conv2d, flatten, linear, maxPool2d, relu, sequential, zeroPad2d } from '@gradpack/layers';
import type { Problem } from '../problem.js';

/** TensorFlow's "same" pooling of an odd extent. */
const pool = () => [zeroPad2d([0, 1, 0, 1]), maxPool2d(3, 2)] as const;

/** DeepOBS' network for CIFAR-10. */
export const threeC3D: Problem = {
  name: '3c3d',
  description: 'three convolutions of 64, 96 and 128 channels with max-pooling, 1152-512-256-10 with ReLU, on 3×32×32',
  batch: 32,
  batches: { SqrtGGNExact: 4 },
  input: [3, 32, 32],
  classes: 10,
  model: () =>
    sequential(
      conv2d(3, 64, 5),
      relu(),
      ...pool(),
      conv2d(64, 96, 3),
      relu(),
      ...pool(),
      zeroPad2d(1),
      conv2d(96, 128, 3),
      relu(),
      ...pool(),
      flatten(),
      linear(1152, 512),
      relu(),
      linear(512, 256),
      relu(),
      linear(256, 10),
    ),
};
