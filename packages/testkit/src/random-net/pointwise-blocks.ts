import type { SpecArray } from '../net-spec.js';
import { elements } from '../truth/positions.js';
import type { NetBuilder } from './net-builder.js';

/** Blocks for values of any shape. */

export function activation(net: NetBuilder, x: string): string {
  return net.node({ op: net.draw.pick(['relu', 'sigmoid', 'sigmoid', 'tanh', 'tanh', 'identity'] as const) }, x);
}

/** What these give may be multiplied or fed back without growing. */
export function boundedActivation(net: NetBuilder, x: string): string {
  return net.node({ op: net.draw.pick(['sigmoid', 'tanh'] as const) }, x);
}

export function dropout(net: NetBuilder, x: string): string {
  const { draw } = net;
  const shape = net.shape(x);
  const mask: SpecArray = { shape, data: draw.list(elements(shape), () => (draw.chance(0.7) ? 1 : 0)) };
  return net.node({ op: 'dropout', p: 0.25, ...(draw.chance(0.7) ? { mask } : {}) }, x);
}

export function scaled(net: NetBuilder, x: string): string {
  return net.node({ op: 'scale', factor: net.draw.real(0.3, 1.5) * net.draw.pick([1, -1]) }, x);
}

/** Of two values of one shape. */
export function merged(net: NetBuilder, a: string, b: string): string {
  const op = net.draw.pick(['add', 'mul', 'concat'] as const);
  const axis = net.draw.whole(1, net.shape(a).length - 1);
  return net.node(op === 'concat' ? { op, axis } : { op }, a, b);
}
