import type { Recorded } from '../backend/recording.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import type { Loss } from '../loss/loss.js';
import type { Parameter } from '../module/parameter.js';
import type { FormedQuantity, ProductMode } from '../quantity/quantity.js';
import type { RuleEntry } from '../quantity/registry.js';
import { bytesPerElement, type Dtype, type Precision } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import { signalsOf } from './asked.js';
import type { MissingPair } from './missing.js';
import { tooLarge } from './plan-errors.js';
import type { RecordedLoss } from './record-loss.js';
import type { RecordedResults } from './record-results.js';
import { recordStep } from './record-step.js';
import type { RecordedInputs } from './recorded-inputs.js';
import type { Trace } from './trace.js';

export interface PlanRequest {
  readonly trace: Trace;
  readonly loss: Loss;
  readonly target: { readonly shape: Shape; readonly dtype: Dtype; readonly checked: boolean };
  readonly gradient: boolean;
  readonly quantities: Readonly<Record<string, FormedQuantity>>;
  readonly entries: ReadonlyMap<string, RuleEntry>;
  readonly precision: Precision;
  /** Bytes of the largest column tensor. */
  readonly columnBytes: number;
  readonly tensorBytes: number;
  readonly memoryLimit: number;
  readonly mapsInPlace: boolean;
  readonly onMissing: 'error' | 'skip';
  readonly checkFinite: boolean;
  /** Forces at most this many columns in one pass. */
  readonly columns?: number;
  /** Forces how columns that are born inside are carried. */
  readonly inner?: 'growing' | 'separate';
}

/** What a run of a plan must be given, and what it gives back: buffers of the recording by meaning. */
export interface Plan extends RecordedInputs, RecordedResults {
  readonly recorded: Recorded;
  readonly target: TensorRef;
  readonly scale?: RecordedLoss['scale'];
  readonly loss: TensorRef;
  readonly flag?: TensorRef;
  readonly missing: readonly MissingPair[];
  /** Most columns that go together. */
  readonly columns: number;
  /** Of a growing pass: bytes of its largest column tensor. */
  readonly growingBytes: number;
  product(request: ProductRequest): ProductPlan;
  /** The trainable parameters that the output depends on. */
  readonly trainable: readonly Parameter[];
  /** The parameters of the net that are frozen. */
  readonly frozen: ReadonlySet<Parameter>;
}

export interface ProductRequest {
  readonly mode: ProductMode;
  readonly V: number;
  readonly tangents: readonly Parameter[];
  readonly of: readonly Parameter[];
}
export interface ProductPlan {
  readonly recorded: Recorded;
  readonly tangents: ReadonlyMap<Parameter, TensorRef>;
  readonly results: ReadonlyMap<Parameter, TensorRef>;
}

/**
 * Records the step, with smaller chunks of columns until it fits in `memoryLimit`. Columns that are born inside grow into one pass,
 * which takes the fewest calls, where none of its tensors exceeds `columnBytes`; else they take passes of their own.
 * Throws GRADPACK-UNSUPPORTED-PAIR, GRADPACK-OUT-OF-MEMORY.
 */
export function makePlan(request: PlanRequest): Plan {
  const curved = Object.values(request.quantities)
    .flatMap(signalsOf)
    .some((signal) => signal.inside);
  const growing = request.inner !== 'separate' && request.columns === undefined && curved;
  let best: Plan | undefined;
  const fits = (plan: Plan): boolean => {
    best = plan;
    const { buffers, bytes } = plan.recorded.program;
    const largest = buffers.reduce((most, { length, dtype }) => Math.max(most, length * bytesPerElement(dtype)), 0);
    return bytes.scratch + bytes.kept + bytes.results <= request.memoryLimit && largest <= request.tensorBytes;
  };
  if (growing) {
    const plan = recordStep(request, { columns: Number.POSITIVE_INFINITY, inner: 'growing' });
    if (fits(plan) && (request.inner === 'growing' || plan.growingBytes <= request.columnBytes)) return plan;
    if (request.inner === 'growing') throw tooLarge(request, plan);
  }
  for (let columns = request.columns ?? Number.POSITIVE_INFINITY; ; columns = Math.ceil(columns / 2)) {
    const plan = recordStep(request, { columns, inner: curved ? 'separate' : 'none' });
    if (fits(plan)) return plan;
    columns = plan.columns;
    if (columns === 1 || request.columns !== undefined) break;
  }
  throw tooLarge(request, best as Plan);
}
