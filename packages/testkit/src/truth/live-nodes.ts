import type { NetSpec, SpecNode } from '../net-spec.js';

/** The nodes that the output depends on, in order. Others have no influence and are not evaluated. */
export function liveNodes(net: NetSpec): readonly SpecNode[] {
  const wanted = new Set([net.output]);
  const live: SpecNode[] = [];
  for (const node of net.nodes.toReversed()) {
    if (!wanted.has(node.id)) continue;
    live.unshift(node);
    for (const input of node.inputs) wanted.add(input);
  }
  return live;
}
