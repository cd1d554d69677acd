import {
  ALL_CARRIES,
  type Carry,
  featuresFirst,
  GradPackError,
  type Kernels,
  type Layer,
  LINEAR_TRAITS,
  layer,
  type Parameter,
  type Shape,
  sizeOf,
  type TensorRef,
  unfolded,
  type Window,
} from '@gradpack/core';
import type { MatrixUses } from './bias.js';
import { convGeometry, convWindow } from './conv-window.js';
import { type MatrixMap, matrixLinearization } from './matrix-map.js';
import { type PerAxis, wholeNumber } from './options.js';
import { biasOf, sharedOrNew } from './shared-parameter.js';
import { spatialOf } from './spatial.js';

export interface ConvOptions {
  /** 1 when absent. */
  readonly stride?: PerAxis;
  /** On both sides; `'same'` keeps the extents (stride 1 only), `'valid'` is 0. 0 when absent. */
  readonly padding?: PerAxis | 'same' | 'valid';
  /** Distance between kernel entries; 1 when absent. */
  readonly dilation?: PerAxis;
  /** Channels in this many groups that do not see one another; 1 when absent. */
  readonly groups?: number;
  /** Whether a bias is added, or a parameter [outChannels] to share; true when absent. */
  readonly bias?: boolean | Parameter;
  /** A parameter of another convolution to share. */
  readonly weight?: Parameter;
  /** What stands outside the input; `'zeros'` when absent. */
  readonly paddingMode?: Window['mode'];
}

type ConvKind = 'conv1d' | 'conv2d' | 'conv3d';
type WithoutBias = ConvOptions & { readonly bias: false };
type WithBias = ConvOptions & { readonly bias?: true | Parameter };

export interface Conv<Kind extends ConvKind, Bias extends Parameter | undefined = Parameter | undefined>
  extends Layer<Kind, MatrixUses<Bias>, Carry> {
  /** [outChannels, inChannels / groups, ...kernel] */
  readonly weight: Parameter;
  /** [outChannels] */
  readonly bias: Bias;
}
export type Conv1d<Bias extends Parameter | undefined = Parameter | undefined> = Conv<'conv1d', Bias>;
export type Conv2d<Bias extends Parameter | undefined = Parameter | undefined> = Conv<'conv2d', Bias>;
export type Conv3d<Bias extends Parameter | undefined = Parameter | undefined> = Conv<'conv3d', Bias>;

/**
 * Convolution over [N, inChannels, length]; see `conv2d`.
 *
 * @example
 * const model = sequential(conv1d(4, 8, 5, { padding: 'same' }), tanh(), flatten());
 */
export function conv1d(
  inChannels: number,
  outChannels: number,
  kernelSize: PerAxis,
  options: WithoutBias,
): Conv1d<undefined>;
export function conv1d(
  inChannels: number,
  outChannels: number,
  kernelSize: PerAxis,
  options?: WithBias,
): Conv1d<Parameter>;
export function conv1d(inChannels: number, outChannels: number, kernelSize: PerAxis, options: ConvOptions): Conv1d;
export function conv1d(
  inChannels: number,
  outChannels: number,
  kernelSize: PerAxis,
  options: ConvOptions = {},
): Conv1d {
  return conv('conv1d', 1, inChannels, outChannels, kernelSize, options);
}

/**
 * `y[n, o, t] = Σ_{c,k} weight[o, c, k] x[n, c, t · stride − padding + k · dilation] + bias[o]`, per group of channels, from
 * [N, inChannels, height, width] to [N, outChannels, height′, width′]. Both parameters begin uniform within 1/√(inChannels / groups · kernel entries).
 *
 * Throws GRADPACK-OPTION for options that make no sense; a call throws GRADPACK-SHAPE for other channels or where the kernel does not fit.
 *
 * @example
 * const model = sequential(conv2d(1, 8, 3, { stride: 2, padding: 1 }), relu(), conv2d(8, 16, [3, 5], { groups: 2, paddingMode: 'reflect', padding: [1, 2] }));
 */
export function conv2d(
  inChannels: number,
  outChannels: number,
  kernelSize: PerAxis,
  options: WithoutBias,
): Conv2d<undefined>;
export function conv2d(
  inChannels: number,
  outChannels: number,
  kernelSize: PerAxis,
  options?: WithBias,
): Conv2d<Parameter>;
export function conv2d(inChannels: number, outChannels: number, kernelSize: PerAxis, options: ConvOptions): Conv2d;
export function conv2d(
  inChannels: number,
  outChannels: number,
  kernelSize: PerAxis,
  options: ConvOptions = {},
): Conv2d {
  return conv('conv2d', 2, inChannels, outChannels, kernelSize, options);
}

/**
 * Convolution over [N, inChannels, depth, height, width]; see `conv2d`.
 *
 * @example
 * const model = sequential(conv3d(1, 4, 3, { padding: 1 }), relu(), maxPool3d(2));
 */
export function conv3d(
  inChannels: number,
  outChannels: number,
  kernelSize: PerAxis,
  options: WithoutBias,
): Conv3d<undefined>;
export function conv3d(
  inChannels: number,
  outChannels: number,
  kernelSize: PerAxis,
  options?: WithBias,
): Conv3d<Parameter>;
export function conv3d(inChannels: number, outChannels: number, kernelSize: PerAxis, options: ConvOptions): Conv3d;
export function conv3d(
  inChannels: number,
  outChannels: number,
  kernelSize: PerAxis,
  options: ConvOptions = {},
): Conv3d {
  return conv('conv3d', 3, inChannels, outChannels, kernelSize, options);
}

function conv<Kind extends ConvKind>(
  kind: Kind,
  axes: number,
  inChannels: number,
  outChannels: number,
  kernelSize: PerAxis,
  options: ConvOptions,
): Conv<Kind> {
  const geometry = convGeometry(kind, axes, kernelSize, options);
  const G = wholeNumber(kind, 'groups', options.groups ?? 1, 1);
  const C = wholeNumber(kind, 'inChannels', inChannels, 1) / G;
  const O = wholeNumber(kind, 'outChannels', outChannels, 1) / G;
  if (!Number.isInteger(C) || !Number.isInteger(O))
    throw new GradPackError('GRADPACK-OPTION', 'groups must divide the channels', {
      where: kind,
      expected: 'inChannels and outChannels that are multiples of groups',
      got: `inChannels ${inChannels}, outChannels ${outChannels}, groups ${G}`,
      fix: 'choose groups that divides both',
    });
  const bound = 1 / Math.sqrt(C * sizeOf(geometry.kernel));
  const weight = sharedOrNew(options.weight, [G * O, C, ...geometry.kernel], { kind: 'uniform', bound }, kind);
  const bias = biasOf(options.bias, [G * O], { kind: 'uniform', bound }, kind);
  const windowFor = (input: Shape): Window => convWindow(kind, geometry, spatialOf(kind, input, axes, G * C));
  return layer<Conv<Kind>>({
    kind,
    weight,
    bias,
    uses: bias ? ['matrix', 'shift'] : ['matrix'],
    carries: ALL_CARRIES,
    accepts: 'float',
    traits: () => LINEAR_TRAITS,
    outputShapes: (input: Shape) => [[input[0] as number, G * O, ...windowFor(input).output]],
    linearize([input], k, context) {
      const x = input as TensorRef;
      return matrixLinearization(x, weight, bias, mapOf(windowFor(x.shape), G, O, C, k), k, context);
    },
  });
}

function mapOf(window: Window, G: number, O: number, C: number, k: Kernels): MatrixMap {
  const K = sizeOf(window.kernel);
  const view = { G, O, C, K, strides: { g: O * C * K, o: C * K, c: K, k: 1 } };
  return {
    view,
    apply: (x, weight, into) => k.convolve(x, weight, view, window, into),
    adjoint: (y, weight) => k.convolveTransposed(y, weight, view, window),
    u: (x) => unfolded(x, window, G),
    a: (y) => featuresFirst(y, O, G),
    output: [G * O, ...window.output],
    biasShape: [G * O, ...window.output.map(() => 1)],
  };
}
