import type { Program } from '@gradpack/core';
import type { Dispatch, Lowering, LoweringLimits } from './dispatch.js';
import { lowerCall } from './lower-call.js';

/** A program as dispatches over numbered buffers: the program's, then temporaries, each of which lives in a slot during one call. */
export interface LoweredProgram {
  readonly dispatches: readonly Dispatch[];
  /** Slot of each temporary; buffer `program.buffers.length + i` is the i-th. */
  readonly temporaries: readonly number[];
  /** Elements of the slots of temporaries. */
  readonly temporarySlots: readonly number[];
  readonly tables: Int32Array<ArrayBuffer>;
}

/** Pure: needs no device. Throws GRADPACK-OUT-OF-MEMORY where a tensor cannot be bound and its kernel cannot be cut. */
export function lowerProgram(program: Program, limits: LoweringLimits): LoweredProgram {
  const dispatches: Dispatch[] = [];
  const temporaries: { readonly slot: number; readonly length: number }[] = [];
  const temporarySlots: number[] = [];
  const tables: Int32Array[] = [];
  const tableStarts = new Map<string, number>();
  let tablesLength = 0;

  program.calls.forEach((call, index) => {
    let temporariesOfCall = 0;
    const lowering: Lowering = {
      limits,
      dtypeOf: (buffer) => program.buffers[buffer]?.dtype ?? 'float32',
      lengthOf: (buffer) =>
        (program.buffers[buffer] ?? (temporaries[buffer - program.buffers.length] as { length: number })).length,
      temporary(length) {
        const slot = temporariesOfCall++;
        temporarySlots[slot] = Math.max(temporarySlots[slot] ?? 0, length);
        temporaries.push({ slot, length });
        return { buffer: program.buffers.length + temporaries.length - 1, offset: 0 };
      },
      table(key, make) {
        const known = tableStarts.get(key);
        if (known !== undefined) return known;
        const table = make();
        const start = tablesLength;
        tables.push(table);
        tableStarts.set(key, start);
        tablesLength += table.length;
        return start;
      },
      emit: (dispatch) => {
        if (dispatch.invocations > 0) dispatches.push({ ...dispatch, call: index, kernel: call.kernel });
      },
    };
    lowerCall(lowering, call);
  });

  const joined = new Int32Array(tablesLength);
  let at = 0;
  for (const table of tables) {
    joined.set(table, at);
    at += table.length;
  }
  return { dispatches, temporaries: temporaries.map((t) => t.slot), temporarySlots, tables: joined };
}
