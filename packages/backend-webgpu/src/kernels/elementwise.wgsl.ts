import type { Kernel, Lane, Operand } from '@gradpack/core';
import { sizeOf } from '@gradpack/core';
import type { ElementType, Lowering } from '../lowering/dispatch.js';
import { kernelText } from '../lowering/kernel-text.js';
import { coalesce, coordinates, dot, offsetText, operandAt, piecesOf, spanOf } from '../lowering/loops.js';
import { coordinateAxes, printExpression } from './expression.wgsl.js';

/*
 * fill, copy, map: one invocation an element of the iterated shape, axes merged where every operand allows, extents and strides in
 * the parameter block. Bindings: inputs, y. Loops over tensors larger than a binding are cut along their leading axes.
 */

export function fill(
  lowering: Lowering,
  { length, value }: Kernel['fill'],
  _reads: readonly Operand[],
  writes: readonly Operand[],
): void {
  const y = operandAt(writes, 0);
  const type = elementType(lowering.dtypeOf(y.buffer));
  for (const { first, shape } of piecesOf(lowering, [length], [{ operand: y, strides: [1] }])) {
    const k = kernelText(lowering);
    const [start = 0] = first;
    k.write('y', { ...y, offset: y.offset + start }, type, false, spanOf(shape, [1]));
    // several elements an invocation keep the grid small
    const per = 4;
    const count = k.int('length', shape[0] as number);
    const text = type === 'i32' ? k.int('value', value) : k.float('value', value);
    k.dispatch(
      Math.ceil((shape[0] as number) / per),
      `for (var j = i; j < ${count}; j += p.count) { put_y(j, ${text}); }`,
    );
  }
}

export function copy(
  lowering: Lowering,
  { dtype, shape, from, to, accumulate }: Kernel['copy'],
  reads: readonly Operand[],
  writes: readonly Operand[],
): void {
  const [x, y] = [operandAt(reads, 0), operandAt(writes, 0)];
  // without a sum only bits move
  const type = accumulate ? elementType(dtype) : 'u32';
  for (const piece of piecesOf(lowering, shape, [
    { operand: x, strides: from },
    { operand: y, strides: to },
  ])) {
    const k = kernelText(lowering);
    const loop = coalesce(piece.shape, [from, to]);
    k.read('x', { ...x, offset: x.offset + dot(piece.first, from) }, type, spanOf(piece.shape, from));
    k.write('y', { ...y, offset: y.offset + dot(piece.first, to) }, type, accumulate, spanOf(piece.shape, to));
    const at = coordinates(k, 'i', loop.shape, 'i');
    const [read = [], write = []] = loop.strides;
    k.dispatch(
      sizeOf(piece.shape),
      `${at}\nput_y(${offsetText(k, 'y', 'i', write)}, x(${offsetText(k, 'x', 'i', read)}));`,
    );
  }
}

export function map(
  lowering: Lowering,
  { shape, inputs, to, expression, accumulate }: Kernel['map'],
  reads: readonly Operand[],
  writes: readonly Operand[],
): void {
  const y = operandAt(writes, 0);
  const lanes = inputs.map((lane, index) => ({ ...lane, operand: operandAt(reads, index) }));
  for (const piece of piecesOf(lowering, shape, [...lanes, { operand: y, strides: to }])) {
    const k = kernelText(lowering);
    const loop = coalesce(piece.shape, [...inputs.map((lane) => lane.strides), to], coordinateAxes(expression));
    for (const [index, { operand, strides, dtype }] of lanes.entries())
      k.read(
        `x${index}`,
        { ...operand, offset: operand.offset + dot(piece.first, strides) },
        elementType(dtype),
        spanOf(piece.shape, strides),
      );
    k.write('y', { ...y, offset: y.offset + dot(piece.first, to) }, 'f32', accumulate, spanOf(piece.shape, to));
    const at = coordinates(k, 'i', loop.shape, 'i');
    const { lines, result } = printExpression(
      k,
      expression,
      (index) => laneText(inputs, index, offsetText(k, `x${index}`, 'i', loop.strides[index] ?? [])),
      (axis) => {
        const first = k.int(`first${axis}`, piece.first[axis] as number);
        const moved = loop.axisOf.get(axis);
        return moved === undefined ? `f32(${first})` : `f32(${first} + i${moved})`;
      },
    );
    k.dispatch(
      sizeOf(piece.shape),
      `${at}\n${lines}\nput_y(${offsetText(k, 'y', 'i', loop.strides.at(-1) ?? [])}, ${result});`,
    );
  }
}

/** Input `index` of an expression at an offset, as f32. */
export function laneText(lanes: readonly Lane[], index: number, offset: string): string {
  const element = `x${index}(${offset})`;
  return lanes[index]?.dtype === 'int32' ? `f32(${element})` : element;
}

export function elementType(dtype: Lane['dtype']): ElementType {
  return dtype === 'int32' ? 'i32' : 'f32';
}
