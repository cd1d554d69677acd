import type { NetSpec } from '../net-spec.js';
import { stacked } from './block.js';
import { DENSE_BLOCKS, linear } from './dense-blocks.js';
import { flatHead, positionsHead } from './heads.js';
import { convolved, IMAGE_BLOCKS } from './image-blocks.js';
import { crossEntropy, squaredError } from './losses.js';
import type { NetBuilder } from './net-builder.js';
import { boundedActivation, merged } from './pointwise-blocks.js';

type Family = (net: NetBuilder) => NetSpec;

/** What kinds of nets there are, by how often they are drawn. */
export const FAMILIES: readonly Family[] = [dense, dense, image, image, image, image, tokens];

function dense(net: NetBuilder): NetSpec {
  const { draw } = net;
  const middle = draw.list(draw.pick([0, 0, 1, 2]), () => draw.whole(1, 3));
  const x = net.floats([draw.whole(1, 4), ...middle, draw.whole(2, 4)]);
  const features = stacked(net, x, DENSE_BLOCKS, draw.whole(1, 3));
  return draw.chance(0.5) ? flatHead(net, features) : positionsHead(net, linear(net, features, draw.whole(2, 4)));
}

function image(net: NetBuilder): NetSpec {
  const { draw } = net;
  const spatial = draw.chance(0.15) ? [draw.whole(3, 7)] : [draw.whole(4, 6), draw.whole(4, 6)];
  const x = net.floats([draw.whole(1, 4), draw.whole(1, 2), ...spatial]);
  const features = stacked(net, convolved(net, x), IMAGE_BLOCKS, draw.whole(1, 4));
  if (draw.chance(0.7)) return flatHead(net, features);
  const scores = convolved(net, features);
  const classes = net.shape(scores)[1] ?? 0;
  return classes > 1 && draw.chance(0.7) ? crossEntropy(net, scores) : squaredError(net, scores);
}

function tokens(net: NetBuilder): NetSpec {
  const { draw } = net;
  const [words, width] = [draw.whole(3, 5), draw.whole(2, 3)];
  const ids = net.tokens([draw.whole(1, 4), draw.whole(1, 3)], words);
  const weight = net.parameter('weight', [words, width]);
  const padding = draw.chance(0.4) ? { paddingIdx: draw.whole(0, words - 1) } : {};
  const embedded = net.node({ op: 'embedding', parameters: { weight }, ...padding }, ids);
  const twice = draw.chance(0.2)
    ? merged(net, embedded, boundedActivation(net, net.node({ op: 'embedding', parameters: { weight } }, ids)))
    : embedded;
  const features = stacked(net, twice, DENSE_BLOCKS, draw.whole(0, 2));
  if (draw.chance(0.4)) return flatHead(net, features);
  const decoded = boundedActivation(net, linear(net, features, width));
  return positionsHead(net, net.node({ op: 'linear', parameters: { weight } }, decoded));
}
