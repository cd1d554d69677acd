import { at } from '../truth/positions.js';
import type { Block } from './block.js';
import type { NetBuilder, Operation } from './net-builder.js';
import { activation, boundedActivation, dropout, merged, scaled } from './pointwise-blocks.js';
import { slicedBranches, transposedBranches } from './view-blocks.js';

/** Blocks for values [N, C, L] or [N, C, H, W]. */
export const IMAGE_BLOCKS: readonly Block[] = [
  convolved,
  convolved,
  tiedInSequence,
  tiedInParallel,
  residual,
  maxPooled,
  maxPooled,
  averagePooled,
  averagePooled,
  zeroPadded,
  normalized,
  normalized,
  slicedBranches,
  transposedBranches,
  dropout,
  scaled,
];

export function convolved(net: NetBuilder, x: string): string {
  const { draw } = net;
  const channels = channelsOf(net, x);
  const groups = channels % 2 === 0 && draw.chance(0.4) ? 2 : 1;
  const outputs = groups * draw.whole(1, 2);
  return activation(net, net.node({ ...convolution(net, x, outputs, groups), ...windowOptions(net, x) }, x));
}

type Convolution = Extract<Operation, { readonly op: 'conv1d' | 'conv2d' | 'conv3d' }>;
type Options = Omit<Convolution, 'op' | 'parameters' | 'groups'>;

/** A new layer with a kernel that fits. */
function convolution(net: NetBuilder, x: string, outputs: number, groups = 1): Convolution {
  const { draw } = net;
  const spatial = spatialOf(net, x);
  const kernel = spatial.map((extent) => draw.whole(1, Math.min(3, extent)));
  const weight = net.parameter('weight', [outputs, channelsOf(net, x) / groups, ...kernel]);
  const bias = draw.chance(0.7) ? { bias: net.parameter('bias', [outputs]) } : {};
  return {
    op: spatial.length === 1 ? 'conv1d' : 'conv2d',
    parameters: { weight, ...bias },
    ...(groups > 1 ? { groups } : {}),
  };
}

/** Padding is at most 1 per side where the length is at least 3, so that each mode is defined, and windows of span 5 fit. */
function windowOptions(net: NetBuilder, x: string): Options {
  const { draw } = net;
  const spatial = spatialOf(net, x);
  const shortest = Math.min(...spatial);
  if (draw.chance(0.3))
    return { padding: 'same', dilation: shortest >= 3 ? draw.whole(1, 2) : 1, ...paddingMode(net, x) };
  const padding = shortest >= 3 ? spatial.map(() => draw.whole(0, 1)) : 0;
  const stride = draw.chance(0.5) ? spatial.map(() => draw.pick([1, 1, 2])) : draw.pick([1, 1, 2]);
  return { stride, padding, dilation: shortest >= 5 ? draw.whole(1, 2) : 1, ...paddingMode(net, x) };
}

function paddingMode(net: NetBuilder, x: string): Options {
  const wide = Math.min(...spatialOf(net, x)) >= 3;
  return wide ? { paddingMode: net.draw.pick(['zeros', 'zeros', 'reflect', 'replicate', 'circular'] as const) } : {};
}

function tiedInSequence(net: NetBuilder, x: string): string {
  const layer = { ...convolution(net, x, channelsOf(net, x)), padding: 'same' } as const;
  return activation(net, net.node(layer, boundedActivation(net, net.node(layer, x))));
}

/** One kernel with two dilations. */
function tiedInParallel(net: NetBuilder, x: string): string {
  const layer = { ...convolution(net, x, net.draw.whole(1, 2)), padding: 'same' } as const;
  return merged(net, net.node(layer, x), net.node({ ...layer, dilation: 2 }, x));
}

function residual(net: NetBuilder, x: string): string {
  const layer = { ...convolution(net, x, channelsOf(net, x)), padding: 'same' } as const;
  return net.node({ op: 'add' }, activation(net, net.node(layer, x)), x);
}

function maxPooled(net: NetBuilder, x: string): string {
  if (!poolable(net, x)) return x;
  const dilation = Math.min(...spatialOf(net, x)) >= 5 ? net.draw.whole(1, 2) : 1;
  return net.node({ op: 'maxPool2d', ...poolOptions(net), dilation }, x);
}

function averagePooled(net: NetBuilder, x: string): string {
  if (!poolable(net, x)) return x;
  const { draw } = net;
  const divisor = draw.chance(0.3) ? { divisorOverride: draw.whole(2, 5) } : {};
  return net.node({ op: 'avgPool2d', ...poolOptions(net), countIncludePad: draw.chance(0.5), ...divisor }, x);
}

function poolable(net: NetBuilder, x: string): boolean {
  const spatial = spatialOf(net, x);
  return spatial.length === 2 && Math.min(...spatial) >= 3;
}

function poolOptions({ draw }: NetBuilder): {
  readonly kernelSize: readonly [number, number];
  readonly stride?: number;
  readonly padding: number;
  readonly ceilMode: boolean;
} {
  const kernelSize = [draw.whole(2, 3), draw.whole(2, 3)] as const;
  return {
    kernelSize,
    ...(draw.chance(0.7) ? { stride: draw.whole(1, 2) } : {}),
    padding: draw.whole(0, 1),
    ceilMode: draw.chance(0.4),
  };
}

function zeroPadded(net: NetBuilder, x: string): string {
  const { draw } = net;
  if (spatialOf(net, x).length !== 2) return x;
  const padding = [draw.whole(0, 1), draw.whole(0, 1), draw.whole(0, 1), draw.whole(0, 1)] as const;
  return convolved(net, net.node({ op: 'zeroPad2d', padding }, x));
}

function normalized(net: NetBuilder, x: string): string {
  const { draw } = net;
  if (spatialOf(net, x).length !== 2) return x;
  const shape = [channelsOf(net, x)];
  return net.node(
    {
      op: 'batchNorm2d',
      parameters: { weight: net.parameter('weight', shape), bias: net.parameter('bias', shape) },
      runningMean: { shape, data: shape.flatMap((length) => draw.list(length, () => draw.real(-0.5, 0.5))) },
      runningVar: { shape, data: shape.flatMap((length) => draw.list(length, () => draw.real(0.5, 1.5))) },
      eps: 1e-5,
    },
    x,
  );
}

function channelsOf(net: NetBuilder, x: string): number {
  return at(net.shape(x), 1);
}

function spatialOf(net: NetBuilder, x: string): readonly number[] {
  return net.shape(x).slice(2);
}
