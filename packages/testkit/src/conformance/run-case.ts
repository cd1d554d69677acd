import type { Backend, Dtype, KernelCall, Precision, Program, Storage, TypedArray } from '@gradpack/core';
import { typedArrayOf } from '@gradpack/core';
import type { ConformanceCase } from './conformance-case.js';
import { referenceRun } from './reference/reference-run.js';

/** What one buffer holds after the run: by the formulas, and on the backend. */
export interface Comparison {
  readonly buffer: number;
  readonly expected: TypedArray;
  readonly got: TypedArray;
}

/** The program as a recording for that precision would be. */
export function programIn(program: Program, precision: Precision): Program {
  const dtypeOf = (dtype: Dtype): Dtype => (dtype === 'int32' ? dtype : precision);
  return {
    ...program,
    buffers: program.buffers.map((b) => ({
      ...b,
      dtype: dtypeOf(b.dtype),
      ...(b.data ? { data: typedArrayOf(dtypeOf(b.dtype), b.data) } : {}),
    })),
    slots: program.slots.map((s) => ({ ...s, dtype: dtypeOf(s.dtype) })),
    calls: program.calls.map((call): KernelCall => {
      switch (call.kernel) {
        case 'copy':
          return { ...call, spec: { ...call.spec, dtype: dtypeOf(call.spec.dtype) } };
        case 'map':
          return {
            ...call,
            spec: { ...call.spec, inputs: call.spec.inputs.map((lane) => ({ ...lane, dtype: dtypeOf(lane.dtype) })) },
          };
        case 'reduce':
          return {
            ...call,
            spec: { ...call.spec, inputs: call.spec.inputs.map((lane) => ({ ...lane, dtype: dtypeOf(lane.dtype) })) },
          };
        default:
          return call;
      }
    }),
  };
}

/** Runs the case on the backend and by the formulas; every bound buffer is compared, also what must not have changed. */
export async function runCase(backend: Backend, { program, data }: ConformanceCase): Promise<readonly Comparison[]> {
  const expected = data.map((array) => array?.slice());
  referenceRun(program, expected);
  const own = programIn(program, backend.precision);
  const prepared = backend.prepare(own);
  const bindings: (Storage | undefined)[] = [];
  try {
    for (const [index, array] of data.entries()) {
      const buffer = own.buffers[index];
      const storage = array && buffer && backend.allocate(buffer.dtype, buffer.length);
      bindings.push(storage);
      if (storage && array) backend.write(storage, array);
    }
    await backend.run(prepared, bindings);
    const bound = bindings.flatMap((storage, buffer) => (storage ? [{ storage, buffer }] : []));
    const got = await backend.read(bound.map(({ storage }) => ({ storage, offset: 0, length: storage.length })));
    return bound.map(({ buffer }, i) => ({
      buffer,
      expected: expected[buffer] as TypedArray,
      got: got[i] as TypedArray,
    }));
  } finally {
    for (const storage of bindings) if (storage) backend.release(storage);
    prepared.dispose();
  }
}
