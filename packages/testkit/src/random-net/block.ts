import type { NetBuilder } from './net-builder.js';

/** One value in, one value out. A block that does not fit the value's shape gives the value itself. */
export type Block = (net: NetBuilder, x: string) => string;

/** A few blocks in sequence, drawn from a table. */
export function stacked(net: NetBuilder, x: string, blocks: readonly Block[], count: number): string {
  let y = x;
  for (let i = 0; i < count; i++) y = net.draw.pick(blocks)(net, y);
  return y;
}
