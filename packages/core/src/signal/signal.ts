import type { Kernels, Stream } from '../backend/kernels.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import type { Range } from '../derivatives/range.js';
import type { BoundLoss, FactorForm, Loss } from '../loss/loss.js';
import type { Carry } from '../module/layer.js';
import type { HostArray } from '../tensor/host-array.js';
import type { Shape } from '../tensor/shape.js';

/**
 * What a quantity reads: columns at the net's output, pulled back through it. Signals with equal keys share columns; each is asked
 * of the loss once per step.
 */
export interface Signal<Needs extends Carry = Carry> {
  readonly name: string;
  /** What layers and losses must let through. */
  readonly needs: Needs;
  readonly key: string;
  /** An exact factor's form; `full` serves those who asked for `reduced`. */
  readonly form?: FactorForm;
  /** Whether columns are also born inside the net, from its curvature (Hessian). */
  readonly inside: boolean;
  /** Numbers that the columns are drawn with: part of the program, so give a new array rather than changing one. */
  readonly labels?: HostArray;
  /** Number of columns at the loss for an output of this shape. */
  columns(loss: Loss, output: Shape): number;
  /** Columns `range`, [to − from, N, ...output]. */
  make(at: AtLoss, range: Range): TensorRef;
}

/** Where a signal makes its columns: the loss at the net’s output. */
export interface AtLoss {
  readonly loss: BoundLoss;
  readonly output: TensorRef;
  readonly k: Kernels;
  /** `Signal.labels` on the backend. */
  readonly labels?: TensorRef;
  /** Random numbers: of the step, or always the same with a seed. */
  stream(seed: number | undefined): Stream;
}
