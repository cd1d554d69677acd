import type { NetSpec } from '../net-spec.js';
import { parameterOf } from './direction.js';
import { liveNodes } from './live-nodes.js';
import type { ConvolutionNode, NodeOf } from './node-of.js';

/** One node that reads a trainable parameter, and how. */
export type Use =
  | { readonly kind: 'matrix'; readonly node: NodeOf<'linear'> | ConvolutionNode }
  | { readonly kind: 'lookup'; readonly node: NodeOf<'embedding'> }
  | { readonly kind: 'scale'; readonly node: NodeOf<'batchNorm2d'> }
  | { readonly kind: 'shift'; readonly node: NodeOf<'linear' | 'batchNorm2d'> | ConvolutionNode };

/** All uses of every trainable parameter that the output depends on, by parameter in the net's order. */
export function usesByParameter(net: NetSpec): ReadonlyMap<string, readonly Use[]> {
  const found = new Map<string, Use[]>();
  const add = (name: string | undefined, use: Use): void => {
    if (name !== undefined && parameterOf(net, name).trainable) found.set(name, [...(found.get(name) ?? []), use]);
  };
  for (const node of liveNodes(net)) {
    switch (node.op) {
      case 'linear':
      case 'conv1d':
      case 'conv2d':
      case 'conv3d':
        add(node.parameters.weight, { kind: 'matrix', node });
        add(node.parameters.bias, { kind: 'shift', node });
        break;
      case 'embedding':
        add(node.parameters.weight, { kind: 'lookup', node });
        break;
      case 'batchNorm2d':
        add(node.parameters.weight, { kind: 'scale', node });
        add(node.parameters.bias, { kind: 'shift', node });
    }
  }
  return new Map(
    Object.keys(net.parameters).flatMap((name) => {
      const uses = found.get(name);
      return uses ? [[name, uses] as const] : [];
    }),
  );
}
