import { Recorder } from '../backend/recorder.js';
import { type Recorded, Recording } from '../backend/recording.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import type { Parameter } from '../module/parameter.js';
import type { Precision } from '../tensor/dtype.js';

/** `θ += scale · x` for a list of parameters; a parameter stays where the flag of the step that made its x is raised. */
export interface UpdatePlan {
  readonly recorded: Recorded;
  readonly parameters: ReadonlyMap<Parameter, TensorRef>;
  readonly steps: readonly TensorRef[];
  readonly scale: TensorRef;
  /** In the order of `steps`, where x comes from a step with checks. */
  readonly flags: readonly (TensorRef | undefined)[];
}

export function recordUpdate(
  parameters: readonly (readonly [parameter: Parameter, withFlag: boolean])[],
  precision: Precision,
): UpdatePlan {
  const recording = new Recording();
  const k = new Recorder(precision, recording);
  const scale = k.external([], precision, 'scalar');
  const targets = new Map(
    parameters.map(([parameter]) => [parameter, k.external(parameter.shape, precision, 'parameter')]),
  );
  const updates = parameters.map(([parameter, withFlag]) => {
    const x = k.external(parameter.shape, precision, 'input');
    const flag = withFlag ? k.external([1], 'int32', 'input') : undefined;
    k.update(targets.get(parameter) as TensorRef, x, scale, flag);
    return { x, flag };
  });
  return {
    recorded: recording.finish(new Set()),
    parameters: targets,
    steps: updates.map(({ x }) => x),
    flags: updates.map(({ flag }) => flag),
    scale,
  };
}
