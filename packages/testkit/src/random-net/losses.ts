import type { NetSpec } from '../net-spec.js';
import { elements } from '../truth/positions.js';
import type { NetBuilder } from './net-builder.js';

/** logits [N, C, …positions] */
export function crossEntropy(net: NetBuilder, logits: string): NetSpec {
  const [samples = 0, classes = 0, ...positions] = net.shape(logits);
  const shape = [samples, ...positions];
  const target = { shape, data: net.draw.list(elements(shape), () => net.draw.whole(0, classes - 1)) };
  return net.net(logits, { kind: 'crossEntropy', ...reduction(net), target });
}

export function squaredError(net: NetBuilder, output: string): NetSpec {
  const shape = net.shape(output);
  const target = { shape, data: net.draw.list(elements(shape), () => net.draw.real(-1, 1)) };
  return net.net(output, { kind: 'mse', ...reduction(net), target });
}

function reduction({ draw }: NetBuilder): Pick<NetSpec['loss'], 'reduction' | 'scale'> {
  const scale = draw.chance(0.3) ? { scale: draw.real(0.25, 3) } : {};
  return { reduction: draw.pick(['mean', 'sum'] as const), ...scale };
}
