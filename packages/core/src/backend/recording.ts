import type { Dtype, TypedArray } from '../tensor/dtype.js';
import { bytesPerElement } from '../tensor/dtype.js';
import type { BackendLimits } from './backend.js';
import { fuse } from './fusion/fuse.js';
import { inPlaceResults } from './in-place.js';
import type { KernelCall, Operand } from './kernel-call.js';
import { assignSlots } from './layout.js';
import type { PendingCall } from './pending-call.js';
import type { Program, ProgramBuffer } from './program.js';
import type { Place, RecordedBuffer } from './tensor-ref.js';

/** A program and, by number, the buffers that a run must bind (undefined: scratch or constant). */
export interface Recorded {
  readonly program: Program;
  readonly bound: readonly (RecordedBuffer | undefined)[];
}

/** The calls recorded so far. At the end calls whose results nobody needs are dropped, and what can be one call is fused. */
export class Recording {
  readonly #calls: PendingCall[] = [];
  readonly #own: Set<RecordedBuffer> = new Set();
  readonly #mapsInPlace: boolean;

  constructor({ mapsInPlace = false }: Pick<BackendLimits, 'mapsInPlace'> = {}) {
    this.#mapsInPlace = mapsInPlace;
  }

  buffer(dtype: Dtype, length: number, role: RecordedBuffer['role'], data?: TypedArray): RecordedBuffer {
    const buffer: RecordedBuffer = data ? { dtype, length, role, data } : { dtype, length, role };
    this.#own.add(buffer);
    return buffer;
  }

  push(call: PendingCall, first = false): void {
    if (first) this.#calls.unshift(call);
    else this.#calls.push(call);
  }

  /** Scratch buffers of an earlier recording that this one reads: they have to be kept for it. */
  foreign(): Set<RecordedBuffer> {
    const found = new Set<RecordedBuffer>();
    for (const call of this.#needed(new Set()))
      for (const { buffer } of [...call.reads, ...call.writes])
        if (buffer.role === 'scratch' && !this.#own.has(buffer)) found.add(buffer);
    return found;
  }

  /** @param kept scratch buffers that later recordings read */
  finish(kept: ReadonlySet<RecordedBuffer>): Recorded {
    const calls = fuse(this.#needed(kept), (buffer) => this.#isPrivate(buffer, kept));
    const numbers = new Map<RecordedBuffer, number>();
    const lives: { first: number; last: number }[] = [];
    const number = (buffer: RecordedBuffer, at: number): number => {
      let n = numbers.get(buffer);
      if (n === undefined) {
        n = numbers.size;
        numbers.set(buffer, n);
        lives.push({ first: at, last: at });
      }
      (lives[n] as { last: number }).last = at;
      return n;
    };
    const numbered = calls.map(({ kernel, reads, writes, spec }, at) => {
      const operand = ({ buffer, offset }: Place): Operand => ({ buffer: number(buffer, at), offset });
      return { kernel, reads: reads.map(operand), writes: writes.map(operand), spec } as KernelCall;
    });
    for (const buffer of kept) if (!numbers.has(buffer)) number(buffer, -1);

    const roleOf = (buffer: RecordedBuffer): ProgramBuffer['role'] =>
      buffer.role === 'scratch' && !this.#isPrivate(buffer, kept) ? 'kept' : buffer.role;
    const plain = [...numbers.keys()].map((buffer, n): ProgramBuffer => {
      const { dtype, length, data } = buffer;
      return {
        dtype,
        length,
        role: roleOf(buffer),
        ...(lives[n] as { first: number; last: number }),
        ...(data && { data }),
      };
    });
    const { slots, buffers } = assignSlots(plain, this.#mapsInPlace ? inPlaceResults(numbered, plain) : undefined);
    const bytes = (role: ProgramBuffer['role']): number =>
      buffers.reduce((sum, b) => sum + (b.role === role ? b.length * bytesPerElement(b.dtype) : 0), 0);
    const scratch = slots.reduce((sum, slot) => sum + slot.length * bytesPerElement(slot.dtype), 0);
    return {
      program: { buffers, slots, calls: numbered, bytes: { scratch, kept: bytes('kept'), results: bytes('result') } },
      bound: [...numbers.keys()].map((buffer, n) => {
        const role = (buffers[n] as ProgramBuffer).role;
        return role === 'scratch' || role === 'constant' ? undefined : buffer;
      }),
    };
  }

  /** Whether nothing but this program ever sees the buffer. */
  #isPrivate(buffer: RecordedBuffer, kept: ReadonlySet<RecordedBuffer>): boolean {
    return buffer.role === 'scratch' && this.#own.has(buffer) && !kept.has(buffer);
  }

  /** The calls that a result, a kept buffer or an effect depends on, in order. */
  #needed(kept: ReadonlySet<RecordedBuffer>): readonly PendingCall[] {
    const live = new Set<RecordedBuffer>(kept);
    const needed: PendingCall[] = [];
    for (let i = this.#calls.length - 1; i >= 0; i--) {
      const call = this.#calls[i] as PendingCall;
      if (!call.effect && !call.writes.some(({ buffer }) => buffer.role === 'result' || live.has(buffer))) continue;
      for (const { buffer } of call.reads) live.add(buffer);
      needed.push(call);
    }
    return needed.reverse();
  }
}
