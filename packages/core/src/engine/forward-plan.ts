import type { Backend } from '../backend/backend.js';
import { Recorder } from '../backend/recorder.js';
import { type Recorded, Recording } from '../backend/recording.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import { Graph } from './graph.js';
import { type RecordedInputs, recordInputs } from './recorded-inputs.js';
import type { Trace } from './trace.js';

export interface ForwardPlan extends RecordedInputs {
  readonly recorded: Recorded;
  readonly output: TensorRef;
  readonly flag?: TensorRef;
}

/** The forward pass alone. */
export function recordForward(trace: Trace, { precision, limits }: Pick<Backend, 'precision' | 'limits'>): ForwardPlan {
  const recording = new Recording(limits);
  const k = new Recorder(precision, recording);
  const inputs = recordInputs(trace, k);
  const graph = new Graph({ tape: trace.tape, output: trace.output, k, ...inputs });
  const output = k.promote(graph.ref(graph.output));
  const { flag } = k;
  return { recorded: recording.finish(new Set()), output, ...(flag && { flag }), ...inputs };
}
