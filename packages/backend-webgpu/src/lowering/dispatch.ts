import type { Dtype, Operand } from '@gradpack/core';

/** Element types of bindings. A call's dtype decides between f32 and i32; u32 moves bits whatever they mean. */
export type ElementType = 'f32' | 'i32' | 'u32';

export type Access = 'read' | 'write';

/** WGSL and the access of its storage bindings; binding 0 is the uniform parameter block, storage starts at 1. */
export interface Shader {
  readonly code: string;
  readonly access: readonly Access[];
}

/** Stands for the buffer of lookup tables of a program (window positions, divisors). */
export const TABLES = -1;

/** A range of a numbered buffer: of the program, of the temporaries that lowering added behind them, or `TABLES`. */
export interface BoundRange {
  readonly buffer: number;
  /** In bytes, a multiple of the device's storage alignment. */
  readonly offset: number;
  readonly bytes: number;
}

/** A copy of a whole buffer, made before the dispatch. Offsets and sizes in bytes. */
export interface PackingCopy {
  readonly from: number;
  readonly to: number;
  readonly at: number;
  readonly bytes: number;
}

/** One dispatch: nothing in it depends on which memory is bound. */
export interface Dispatch {
  readonly call: number;
  readonly kernel: string;
  readonly shader: Shader;
  readonly bindings: readonly BoundRange[];
  readonly parameters: ArrayBuffer;
  readonly invocations: number;
  readonly copies: readonly PackingCopy[];
}

/** Elements [low, high) that a dispatch touches, counted from the operand's offset. */
export type Span = readonly [low: number, high: number];

/** Invocations of a workgroup. */
export const WORKGROUP = 64;

/** Invocations below which a device is not full, and sums are cut into pieces. */
export const FEW_INVOCATIONS: number = 16 * WORKGROUP;

export interface LoweringLimits {
  /** Storage buffers that one dispatch may bind. */
  readonly storageBuffers: number;
  /** Bytes of one binding. */
  readonly bindingBytes: number;
  /** Alignment of a binding's offset in bytes. */
  readonly alignment: number;
}

/** What turns one kernel call into dispatches. */
export interface Lowering {
  readonly limits: LoweringLimits;
  /** Type of a numbered buffer. */
  dtypeOf(buffer: number): Dtype;
  /** Elements of a numbered buffer. */
  lengthOf(buffer: number): number;
  /** Memory that lives during this call. */
  temporary(length: number): Operand;
  /** Where the table starts among the program's tables; equal keys share one. */
  table(key: string, make: () => Int32Array): number;
  emit(dispatch: Omit<Dispatch, 'call' | 'kernel'>): void;
}
