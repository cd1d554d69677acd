import type { Kernel, Operand } from '@gradpack/core';
import type { Lowering } from '../lowering/dispatch.js';
import { kernelText } from '../lowering/kernel-text.js';
import { operandAt } from '../lowering/loops.js';

/*
 * clampIndices and checkFinite raise a bit of the flag word by atomicOr, whose order does not matter. Raising is a dispatch of its own
 * where a call also writes a tensor: result and flag may lie in one buffer, which no dispatch may bind twice for writing.
 */

export function clampIndices(
  lowering: Lowering,
  { length, bound, bit }: Kernel['clampIndices'],
  reads: readonly Operand[],
  writes: readonly Operand[],
): void {
  const ids = operandAt(reads, 0);
  const clamp = kernelText(lowering);
  clamp.read('ids', ids, 'i32');
  clamp.write('out', operandAt(writes, 0), 'i32', false);
  clamp.dispatch(length, `put_out(i, clamp(ids(i), 0, ${clamp.int('bound', bound)} - 1));`);
  const raise = kernelText(lowering);
  raise.read('ids', ids, 'i32');
  raise.flag('flag', operandAt(writes, 1));
  raise.dispatch(
    length,
    `if (ids(i) < 0 || ids(i) >= ${raise.int('bound', bound)}) { raise_flag(${raise.int('bit', bit)}); }`,
  );
}

export function checkFinite(
  lowering: Lowering,
  { length, bit }: Kernel['checkFinite'],
  reads: readonly Operand[],
  writes: readonly Operand[],
): void {
  const k = kernelText(lowering);
  k.read('x', operandAt(reads, 0), 'u32');
  k.flag('flag', operandAt(writes, 0));
  k.dispatch(length, `if ((x(i) & 0x7f800000u) == 0x7f800000u) { raise_flag(${k.int('bit', bit)}); }`);
}
