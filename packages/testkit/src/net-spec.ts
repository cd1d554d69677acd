/**
 * A network as plain data: what goldens store, what the independent truth evaluates, and what random nets are drawn as.
 * Names and defaults are PyTorch's, in camelCase; axis 0 is the batch. N samples.
 */
export interface SpecArray {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

type Axes = number | readonly number[];

interface PoolOptions {
  readonly kernelSize: Axes;
  readonly stride?: Axes;
  readonly padding?: Axes;
  readonly ceilMode?: boolean;
}

/** One operation. `inputs` are names of earlier nodes or of network inputs; `parameters` maps a role to a name in `NetSpec.parameters` (equal names are tied weights). */
export type SpecNode = { readonly id: string; readonly inputs: readonly string[] } & (
  | { readonly op: 'linear'; readonly parameters: { readonly weight: string; readonly bias?: string } }
  | {
      readonly op: 'conv1d' | 'conv2d' | 'conv3d';
      readonly parameters: { readonly weight: string; readonly bias?: string };
      readonly stride?: Axes;
      readonly padding?: Axes | 'same' | 'valid';
      readonly dilation?: Axes;
      readonly groups?: number;
      readonly paddingMode?: 'zeros' | 'reflect' | 'replicate' | 'circular';
    }
  | ({ readonly op: 'maxPool2d'; readonly dilation?: Axes } & PoolOptions)
  | ({ readonly op: 'avgPool2d'; readonly countIncludePad?: boolean; readonly divisorOverride?: number } & PoolOptions)
  /** left, right, top, bottom */
  | { readonly op: 'zeroPad2d'; readonly padding: readonly [number, number, number, number] }
  | { readonly op: 'relu' | 'sigmoid' | 'tanh' | 'identity' | 'flatten' }
  | { readonly op: 'embedding'; readonly parameters: { readonly weight: string }; readonly paddingIdx?: number }
  /** `mask` [N, ...features] holds 0 or 1; absent: evaluation mode. */
  | { readonly op: 'dropout'; readonly p: number; readonly mask?: SpecArray }
  /** Evaluation mode: per channel (axis 1) (x − mean)/√(var + eps) · weight + bias. */
  | {
      readonly op: 'batchNorm2d';
      readonly parameters: { readonly weight: string; readonly bias: string };
      readonly runningMean: SpecArray;
      readonly runningVar: SpecArray;
      readonly eps: number;
    }
  | { readonly op: 'add' | 'mul' }
  | { readonly op: 'scale'; readonly factor: number }
  | { readonly op: 'concat'; readonly axis: number }
  /** Shape of one sample: axis 0 is kept. */
  | { readonly op: 'reshape'; readonly shape: readonly number[] }
  /** All axes, the first is 0. */
  | { readonly op: 'permute'; readonly axes: readonly number[] }
  | {
      readonly op: 'slice';
      readonly axis: number;
      readonly start: number;
      readonly stop: number;
      readonly step?: number;
    }
);

export interface NetSpec {
  /** By name; int32 for token ids, else float. */
  readonly inputs: Readonly<Record<string, SpecArray & { readonly dtype: 'float' | 'int32' }>>;
  readonly parameters: Readonly<Record<string, SpecArray & { readonly trainable: boolean }>>;
  readonly nodes: readonly SpecNode[];
  /** The node whose value goes to the loss. */
  readonly output: string;
  readonly loss: {
    readonly kind: 'crossEntropy' | 'mse';
    readonly reduction: 'mean' | 'sum';
    /** The loss is multiplied by it; 1 when absent. */
    readonly scale?: number;
    /** Class indices [N, …positions] for cross-entropy (classes are axis 1 of the output), else of the output's shape. */
    readonly target: SpecArray;
  };
}
