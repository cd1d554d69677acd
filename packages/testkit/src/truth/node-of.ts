import type { SpecNode } from '../net-spec.js';

/** The nodes with this operation, by name (all names, where one description covers several operations). */
export type NodeOf<Op extends SpecNode['op']> = Extract<SpecNode, { readonly op: Op }>;

export type ConvolutionNode = NodeOf<'conv1d' | 'conv2d' | 'conv3d'>;
export type PoolNode = NodeOf<'maxPool2d'> | NodeOf<'avgPool2d'>;
