import type { Dtype, Kernel, KernelCall, Operand, Program, ProgramBuffer, TypedArray } from '@gradpack/core';
import { bytesPerElement, typedArrayOf } from '@gradpack/core';

/** A program with what is bound to it. Its floats are float64 and hold float32 numbers; `runCase` gives it a backend's precision. */
export interface ConformanceCase {
  /** `kernel: what is special`; unique. */
  readonly name: string;
  readonly kernels: readonly (keyof Kernel)[];
  readonly program: Program;
  /** What buffer i holds at the start; undefined for scratch and constants. */
  readonly data: readonly (TypedArray | undefined)[];
}

/** The call that runs kernel `name`. */
export function call<Name extends keyof Kernel>(
  kernel: Name,
  spec: Kernel[Name],
  reads: readonly Operand[],
  writes: readonly Operand[],
): KernelCall {
  // TypeScript cannot relate a generic name to the member of the union it picks
  return { kernel, spec, reads, writes } as unknown as KernelCall;
}

/** Collects buffers and calls into a `ConformanceCase`. */
export interface CaseRecorder {
  /** A bound buffer that is only read. */
  input(values: ArrayLike<number>, dtype?: 'float64' | 'int32', offset?: number): Operand;
  constant(values: ArrayLike<number>, dtype?: 'float64' | 'int32', offset?: number): Operand;
  /** A bound buffer that is written; what it holds before counts (accumulation, gaps). */
  output(before: ArrayLike<number>, dtype?: 'float64' | 'int32', offset?: number): Operand;
  /** A result or kept buffer that is wholly written, its content before is garbage. */
  fresh(length: number, role: 'kept' | 'result', dtype?: 'float64' | 'int32'): Operand;
  /** Scratch in the slot of that number; slots grow as needed. */
  scratch(length: number, slot: number, dtype?: 'float64' | 'int32'): Operand;
  call<Name extends keyof Kernel>(
    kernel: Name,
    spec: Kernel[Name],
    reads: readonly Operand[],
    writes: readonly Operand[],
  ): void;
  finish(name: string): ConformanceCase;
}

interface RecordedBuffer {
  readonly dtype: Dtype;
  readonly length: number;
  readonly role: ProgramBuffer['role'];
  readonly slot?: number;
  readonly data?: TypedArray;
  readonly bound?: TypedArray;
}

export function recordCase(): CaseRecorder {
  const buffers: RecordedBuffer[] = [];
  const calls: KernelCall[] = [];
  const add = (buffer: RecordedBuffer, offset = 0): Operand => ({ buffer: buffers.push(buffer) - 1, offset });
  return {
    input: (values, dtype = 'float64', offset = 0) =>
      add({ dtype, length: values.length, role: 'input', bound: typedArrayOf(dtype, values) }, offset),
    constant: (values, dtype = 'float64', offset = 0) =>
      add({ dtype, length: values.length, role: 'constant', data: typedArrayOf(dtype, values) }, offset),
    output: (before, dtype = 'float64', offset = 0) =>
      add({ dtype, length: before.length, role: 'parameter', bound: typedArrayOf(dtype, before) }, offset),
    fresh: (length, role, dtype = 'float64') =>
      add({ dtype, length, role, bound: typedArrayOf(dtype, new Array<number>(length).fill(-777)) }),
    scratch: (length, slot, dtype = 'float64') => add({ dtype, length, role: 'scratch', slot }),
    call: (kernel, spec, reads, writes) => void calls.push(call(kernel, spec, reads, writes)),
    finish: (name) => ({
      name,
      kernels: [...new Set(calls.map((c) => c.kernel))],
      program: programOf(buffers, calls),
      data: buffers.map((b) => b.bound),
    }),
  };
}

function programOf(recorded: readonly RecordedBuffer[], calls: readonly KernelCall[]): Program {
  const touching = (buffer: number): number[] =>
    calls.flatMap((c, at) => ([...c.reads, ...c.writes].some((o) => o.buffer === buffer) ? [at] : []));
  const buffers = recorded.map(({ bound: _bound, ...buffer }, index): ProgramBuffer => {
    const at = touching(index);
    return { ...buffer, first: at[0] ?? -1, last: at.at(-1) ?? -1 };
  });
  const slots: { dtype: Dtype; length: number }[] = [];
  for (const { slot, dtype, length } of buffers)
    if (slot !== undefined) slots[slot] = { dtype, length: Math.max(length, slots[slot]?.length ?? 0) };
  const bytes = (role: ProgramBuffer['role']): number =>
    buffers.filter((b) => b.role === role).reduce((sum, b) => sum + b.length * bytesPerElement(b.dtype), 0);
  return {
    buffers,
    slots,
    calls,
    bytes: {
      scratch: slots.reduce((sum, s) => sum + s.length * bytesPerElement(s.dtype), 0),
      kept: bytes('kept'),
      results: bytes('result'),
    },
  };
}
