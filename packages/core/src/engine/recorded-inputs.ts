import type { Recorder } from '../backend/recorder.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import type { Parameter } from '../module/parameter.js';
import type { Node } from '../module/tape.js';
import type { Value } from '../module/value.js';
import type { Trace } from './trace.js';

/** What a forward pass reads, as buffers of the recording. */
export interface RecordedInputs {
  /** As they are bound. */
  readonly leaves: readonly TensorRef[];
  /** As the layers see them: ids that were not checked on the host are clamped. */
  readonly values: ReadonlyMap<Value, TensorRef>;
  /** int32 [2]: seed and step counter. */
  readonly run: TensorRef;
  /** By number of the node and of its scalar; filled while the graph is built. */
  readonly scalars: readonly { readonly node: number; readonly index: number; readonly ref: TensorRef }[];
  /** Filled while the graph is built. */
  readonly parameters: ReadonlyMap<Parameter, TensorRef>;
  valueOf(parameter: Parameter): TensorRef;
  scalarsOf(node: Node): readonly TensorRef[];
}

export function recordInputs({ leaves }: Trace, k: Recorder): RecordedInputs {
  const parameters = new Map<Parameter, TensorRef>();
  const scalars: { node: number; index: number; ref: TensorRef }[] = [];
  const refs = leaves.map(({ value, dtype }) =>
    k.external(value.shape, dtype === 'int32' ? 'int32' : k.precision, 'input'),
  );
  const values = new Map(
    leaves.map(({ value, bound, checked }, i) => {
      const ref = refs[i] as TensorRef;
      return [value, bound !== undefined && !checked ? k.clampIndices(ref, bound) : ref] as const;
    }),
  );
  return {
    leaves: refs,
    values,
    run: k.external([2], 'int32', 'scalar'),
    scalars,
    parameters,
    valueOf(parameter) {
      const ref = parameters.get(parameter) ?? k.external(parameter.shape, k.precision, 'parameter');
      parameters.set(parameter, ref);
      return ref;
    },
    scalarsOf: (node) =>
      (node.layer.scalars ?? []).map((_, index) => {
        const ref = k.external([], k.precision, 'scalar');
        scalars.push({ node: node.id, index, ref });
        return ref;
      }),
  };
}
