import type { Operand, Shape } from '@gradpack/core';
import { GradPackError } from '@gradpack/core';
import type { Lowering, Span } from './dispatch.js';
import type { KernelText } from './kernel-text.js';

/** A strided loop: axes of extent 1 dropped, and neighbours merged that every operand walks as one axis. */
export interface StridedLoop {
  readonly shape: readonly number[];
  /** By operand, over `shape`. */
  readonly strides: readonly (readonly number[])[];
  /** Where an axis of the original shape went; absent where its extent is 1. */
  readonly axisOf: ReadonlyMap<number, number>;
}

/** `keep`: axes whose coordinate is asked for, which must stay apart. */
export function coalesce(shape: Shape, strides: readonly Shape[], keep: ReadonlySet<number> = new Set()): StridedLoop {
  const extents: number[] = [];
  const steps: number[][] = strides.map(() => []);
  const axisOf = new Map<number, number>();
  let mergeable = false;
  shape.forEach((extent, axis) => {
    if (extent === 1) return;
    const last = extents.length - 1;
    const step = (operand: number): number => strides[operand]?.[axis] as number;
    if (mergeable && !keep.has(axis) && steps.every((s, operand) => s[last] === step(operand) * extent)) {
      extents[last] = (extents[last] as number) * extent;
      for (const [operand, s] of steps.entries()) s[last] = step(operand);
    } else {
      extents.push(extent);
      for (const [operand, s] of steps.entries()) s.push(step(operand));
    }
    axisOf.set(axis, extents.length - 1);
    mergeable = !keep.has(axis);
  });
  return { shape: extents, strides: steps, axisOf };
}

/** `let name0 = …; let name1 = …;`: the coordinates of row-major index `index` over `shape`, whose extents become parameters. */
export function coordinates(k: KernelText, name: string, shape: readonly number[], index: string): string {
  const lines: string[] = [];
  let rest = index;
  for (let axis = shape.length - 1; axis > 0; axis--) {
    const extent = k.int(`${name}_extent${axis}`, shape[axis] as number);
    lines.push(
      `let ${name}_rest${axis} = ${rest} / ${extent}; let ${name}${axis} = ${rest} - ${name}_rest${axis} * ${extent};`,
    );
    rest = `${name}_rest${axis}`;
  }
  if (shape.length > 0) lines.push(`let ${name}0 = ${rest};`);
  return lines.join('\n');
}

/** `name0 * p.… + name1 * p.…`: the offset of those coordinates, whose strides become parameters. */
export function offsetText(k: KernelText, operand: string, name: string, strides: readonly number[]): string {
  if (strides.length === 0) return '0';
  return strides.map((stride, axis) => `${name}${axis} * ${k.int(`${operand}_${name}${axis}`, stride)}`).join(' + ');
}

export function spanOf(shape: Shape, strides: Shape, base = 0): Span {
  let [low, high] = [base, base];
  shape.forEach((extent, axis) => {
    const reach = (extent - 1) * (strides[axis] as number);
    if (reach < 0) low += reach;
    else high += reach;
  });
  return [low, high + 1];
}

/** A part of a strided loop: `shape` from `first` on. */
export interface LoopPiece {
  readonly first: readonly number[];
  readonly shape: Shape;
}

export interface WalkedOperand {
  readonly operand: Operand;
  readonly strides: Shape;
  /** Elements that each index of the loop touches; 1 by default. */
  readonly run?: number;
}

/** Cuts a loop, leading axes first, until what each operand touches can be bound. One piece where everything fits. */
export function piecesOf(lowering: Lowering, shape: Shape, operands: readonly WalkedOperand[]): readonly LoopPiece[] {
  const { bindingBytes, alignment } = lowering.limits;
  const large = operands.filter(({ operand }) => lowering.lengthOf(operand.buffer) * 4 > bindingBytes);
  const cut = (piece: LoopPiece): readonly LoopPiece[] => {
    const fits = large.every(({ strides, run = 1 }) => {
      const [low, high] = spanOf(piece.shape, strides);
      return (high - low + run - 1) * 4 <= bindingBytes - alignment;
    });
    if (fits) return [piece];
    const axis = piece.shape.findIndex((extent) => extent > 1);
    if (axis < 0) return [piece];
    const half = Math.ceil((piece.shape[axis] as number) / 2);
    const rest = (piece.shape[axis] as number) - half;
    const replace = (values: readonly number[], value: number): number[] =>
      values.map((old, at) => (at === axis ? value : old));
    return [
      ...cut({ first: piece.first, shape: replace(piece.shape, half) }),
      ...cut({ first: replace(piece.first, (piece.first[axis] as number) + half), shape: replace(piece.shape, rest) }),
    ];
  };
  return cut({ first: shape.map(() => 0), shape });
}

export function dot(index: readonly number[], strides: Shape): number {
  return index.reduce((sum, i, axis) => sum + i * (strides[axis] as number), 0);
}

/** Operand `index` of a call. */
export function operandAt(operands: readonly Operand[], index: number): Operand {
  const operand = operands[index];
  if (operand) return operand;
  throw new GradPackError('GRADPACK-INTERNAL', 'a kernel call has too few operands', {
    where: 'webgpu prepare',
    expected: `an operand ${index}`,
    got: `${operands.length} operands`,
    fix: 'this is a defect of what recorded the program; please report it',
  });
}
