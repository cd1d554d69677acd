import type { NetSpec, SpecArray } from '../src/net-spec.js';

/** One direction over all trainable parameters of a net. */
export function randomVectors(net: NetSpec, random: () => number): Record<string, SpecArray> {
  return Object.fromEntries(
    Object.entries(net.parameters)
      .filter(([, { trainable }]) => trainable)
      .map(([name, { shape, data }]) => [name, { shape, data: data.map(() => 2 * random() - 1) }]),
  );
}
