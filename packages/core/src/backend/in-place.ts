import type { KernelCall, Operand } from './kernel-call.js';
import type { ProgramBuffer } from './program.js';

/**
 * Buffers that a `map` makes from another whose life ends there, reading element i of it only where it writes element i: the result by
 * its number, with the number of the operand that it may lie over.
 */
export function inPlaceResults(
  calls: readonly KernelCall[],
  buffers: readonly ProgramBuffer[],
): ReadonlyMap<number, number> {
  const over = new Map<number, number>();
  calls.forEach((call, at) => {
    if (call.kernel !== 'map' || call.spec.accumulate) return;
    const { shape, to, inputs, expression } = call.spec;
    const written = call.writes[0] as Operand;
    const result = buffers[written.buffer] as ProgramBuffer;
    // what is only moved may be moved in blocks of any order
    if (result.role !== 'scratch' || result.first !== at || expression.instructions.length < 2) return;
    const isElementwise = (operand: number): boolean =>
      call.reads.every(
        ({ buffer, offset }, i) =>
          buffer !== operand ||
          (offset === written.offset &&
            shape.every((extent, axis) => extent === 1 || inputs[i]?.strides[axis] === to[axis])),
      );
    const ends = ({ role, last, dtype, length }: ProgramBuffer): boolean =>
      role === 'scratch' && last === at && dtype === result.dtype && length === result.length;
    const operand = call.reads.find(({ buffer }) => ends(buffers[buffer] as ProgramBuffer) && isElementwise(buffer));
    if (operand) over.set(written.buffer, operand.buffer);
  });
  return over;
}
