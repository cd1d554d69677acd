export { randomLabels } from './random-labels.js';
export { randomNet } from './random-net.js';
export { seededRandom } from './seeded-random.js';
