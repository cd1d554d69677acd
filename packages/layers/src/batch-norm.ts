import {
  ALL_CARRIES,
  type Buffer,
  buffer,
  type Carry,
  GradPackError,
  type Layer,
  LINEAR_TRAITS,
  layer,
  type Parameter,
  parameter,
  type ScaleUse,
  type Shape,
  type ShiftUse,
  showShape,
  type TensorRef,
} from '@gradpack/core';
import { wholeNumber } from './options.js';
import { scaleAndShift } from './scale-and-shift.js';
import { spatialLayout, spatialOf } from './spatial.js';

export interface BatchNormOptions {
  /** Added to the variance; 1e-5 when absent. */
  readonly eps?: number;
  /** Share of the newest batch in the running statistics; 0.1 when absent. */
  readonly momentum?: number;
  /** Whether gain and shift are trained; true when absent. */
  readonly affine?: boolean;
}

type BatchNormKind = 'batchNorm1d' | 'batchNorm2d' | 'batchNorm3d';
type BatchNormUses<Affine extends Parameter | undefined> = [Affine] extends [undefined] ? never : ScaleUse | ShiftUse;
type WithoutAffine = BatchNormOptions & { readonly affine: false };
type WithAffine = BatchNormOptions & { readonly affine?: true };

/** C channels. */
export interface BatchNorm<Kind extends BatchNormKind, Affine extends Parameter | undefined = Parameter | undefined>
  extends Layer<Kind, BatchNormUses<Affine>, Carry> {
  /** [C], begins as ones */
  readonly weight: Affine;
  /** [C], begins as zeros */
  readonly bias: Affine;
  /** [C] */
  readonly runningMean: Buffer;
  /** [C] */
  readonly runningVar: Buffer;
  readonly momentum: number;
}
export type BatchNorm1d<Affine extends Parameter | undefined = Parameter | undefined> = BatchNorm<
  'batchNorm1d',
  Affine
>;
export type BatchNorm2d<Affine extends Parameter | undefined = Parameter | undefined> = BatchNorm<
  'batchNorm2d',
  Affine
>;
export type BatchNorm3d<Affine extends Parameter | undefined = Parameter | undefined> = BatchNorm<
  'batchNorm3d',
  Affine
>;

/**
 * Batch normalisation of [N, C] or [N, C, length]; see `batchNorm2d`.
 *
 * @example
 * const model = sequential(linear(4, 8), batchNorm1d(8).eval(), relu());
 */
export function batchNorm1d(numFeatures: number, options: WithoutAffine): BatchNorm1d<undefined>;
export function batchNorm1d(numFeatures: number, options?: WithAffine): BatchNorm1d<Parameter>;
export function batchNorm1d(numFeatures: number, options: BatchNormOptions): BatchNorm1d;
export function batchNorm1d(numFeatures: number, options: BatchNormOptions = {}): BatchNorm1d {
  return batchNorm('batchNorm1d', 1, numFeatures, options);
}

/**
 * In evaluation `y = weight · (x − runningMean) / √(runningVar + eps) + bias` per channel of [N, C, height, width]. Training mode is
 * not built yet.
 *
 * Throws GRADPACK-OPTION for options that make no sense; a call throws GRADPACK-SHAPE for other channels; a step in training mode
 * throws GRADPACK-UNSUPPORTED-MODE.
 *
 * @example
 * const model = sequential(conv2d(1, 8, 3), batchNorm2d(8).eval(), relu());
 */
export function batchNorm2d(numFeatures: number, options: WithoutAffine): BatchNorm2d<undefined>;
export function batchNorm2d(numFeatures: number, options?: WithAffine): BatchNorm2d<Parameter>;
export function batchNorm2d(numFeatures: number, options: BatchNormOptions): BatchNorm2d;
export function batchNorm2d(numFeatures: number, options: BatchNormOptions = {}): BatchNorm2d {
  return batchNorm('batchNorm2d', 2, numFeatures, options);
}

/**
 * Batch normalisation of [N, C, depth, height, width]; see `batchNorm2d`.
 *
 * @example
 * const model = sequential(conv3d(1, 4, 3), batchNorm3d(4).eval(), relu());
 */
export function batchNorm3d(numFeatures: number, options: WithoutAffine): BatchNorm3d<undefined>;
export function batchNorm3d(numFeatures: number, options?: WithAffine): BatchNorm3d<Parameter>;
export function batchNorm3d(numFeatures: number, options: BatchNormOptions): BatchNorm3d;
export function batchNorm3d(numFeatures: number, options: BatchNormOptions = {}): BatchNorm3d {
  return batchNorm('batchNorm3d', 3, numFeatures, options);
}

function batchNorm<Kind extends BatchNormKind>(
  kind: Kind,
  axes: number,
  numFeatures: number,
  { eps = 1e-5, momentum = 0.1, affine = true }: BatchNormOptions,
): BatchNorm<Kind> {
  const C = wholeNumber(kind, 'numFeatures', numFeatures, 1);
  requireShare(kind, 'eps', eps, Infinity);
  requireShare(kind, 'momentum', momentum, 1);
  const weight = affine ? parameter([C], { kind: 'constant', value: 1 }) : undefined;
  const bias = affine ? parameter([C], { kind: 'constant', value: 0 }) : undefined;
  const [runningMean, runningVar] = [buffer([C], 0), buffer([C], 1)];
  return layer<BatchNorm<Kind>>({
    kind,
    weight,
    bias,
    runningMean,
    runningVar,
    momentum,
    uses: affine ? ['scale', 'shift'] : [],
    carries: ALL_CARRIES,
    accepts: 'float',
    traits: () => LINEAR_TRAITS,
    outputShapes(input: Shape) {
      requireChannels(kind, input, axes, C);
      return [input];
    },
    linearize([x], k, context) {
      if (context.mode === 'train')
        throw new GradPackError('GRADPACK-UNSUPPORTED-MODE', `${kind} does not work in training mode yet`, {
          where: kind,
          expected: "mode 'eval'",
          got: "mode 'train'",
          fix: 'call model.eval() or norm.eval(): the running statistics are then used as they are',
        });
      return scaleAndShift(x as TensorRef, { weight, bias, runningMean, runningVar, eps }, k, context);
    },
  });
}

function requireShare(kind: string, name: string, value: number, most: number): void {
  if (Number.isFinite(value) && value >= 0 && value <= most) return;
  throw new GradPackError('GRADPACK-OPTION', `${name} makes no sense`, {
    where: kind,
    expected: most === 1 ? `${name} from 0 to 1` : `a finite ${name} ≥ 0`,
    got: value,
    fix: `leave ${name} out for PyTorch's default`,
  });
}

function requireChannels(kind: string, shape: Shape, axes: number, C: number): void {
  if (axes > 1) spatialOf(kind, shape, axes, C);
  else if ((shape.length !== 2 && shape.length !== 3) || shape[1] !== C)
    throw new GradPackError('GRADPACK-SHAPE', `${kind} got an input of the wrong shape`, {
      where: kind,
      expected: `[N, ${C}] or ${spatialLayout(1, C)}`,
      got: showShape(shape),
      fix: `make the layer with the input's channels, and keep them on axis 1`,
    });
}
