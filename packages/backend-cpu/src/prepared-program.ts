import type { Kernel, KernelCall, Program, TypedArray } from '@gradpack/core';
import { GradPackError, typedArrayOf } from '@gradpack/core';
import { dtypeOf } from './array-pool.js';
import { KERNELS } from './kernels/kernel-table.js';
import type { Place } from './kernels/place.js';

/** An operand whose array is set for the time of a run. */
interface BindablePlace extends Place {
  data: TypedArray;
}

/** A program made ready once: operands resolved to places, constants in the types of the program. */
export interface PreparedProgram {
  readonly program: Program;
  readonly calls: readonly (() => void)[];
  /** Constants by buffer. */
  readonly constants: ReadonlyMap<number, TypedArray>;
  /** Sets the arrays of all buffers; `undefined` lets go of them. */
  bind(arrays: readonly (TypedArray | undefined)[]): void;
}

const UNBOUND = new Float64Array(0);

export function prepareProgram(program: Program): PreparedProgram {
  const places = program.buffers.map((): BindablePlace[] => []);
  const place = (operand: { readonly buffer: number; readonly offset: number }): Place => {
    const own = places[operand.buffer];
    if (!own) throw defect(`a call names buffer ${operand.buffer}`, `one of ${program.buffers.length} buffers`);
    const known = own.find((p) => p.at === operand.offset);
    if (known) return known;
    const made = { data: UNBOUND, at: operand.offset };
    own.push(made);
    return made;
  };
  const constants = new Map<number, TypedArray>();
  program.buffers.forEach((buffer, index) => {
    if (buffer.data)
      constants.set(
        index,
        dtypeOf(buffer.data) === buffer.dtype ? buffer.data : typedArrayOf(buffer.dtype, buffer.data),
      );
  });
  return {
    program,
    calls: program.calls.map((call) => bindCall(call, call.reads.map(place), call.writes.map(place))),
    constants,
    bind(arrays) {
      for (const [index, own] of places.entries()) for (const p of own) p.data = arrays[index] ?? UNBOUND;
    },
  };
}

function bindCall<Name extends keyof Kernel>(
  call: Extract<KernelCall, { readonly kernel: Name }>,
  reads: readonly Place[],
  writes: readonly Place[],
): () => void {
  const kernel = KERNELS[call.kernel as Name];
  if (!kernel) throw defect(`kernel ${call.kernel}`, Object.keys(KERNELS).join(', '));
  const spec = call.spec as Kernel[Name];
  return () => kernel(spec, reads, writes);
}

function defect(got: string, expected: string): GradPackError {
  return new GradPackError('GRADPACK-INTERNAL', 'the program does not fit the cpu backend', {
    where: 'backend.prepare',
    expected,
    got,
    fix: 'use packages of GradPack of one version, or report the program as a defect',
  });
}
