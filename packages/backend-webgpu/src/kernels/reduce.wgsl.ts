import type { ExpressionProgram, Kernel, Lane, Operand, Shape } from '@gradpack/core';
import { compileExpression, expression as e, sizeOf, stridesOf } from '@gradpack/core';
import { FEW_INVOCATIONS, type Lowering } from '../lowering/dispatch.js';
import { kernelText } from '../lowering/kernel-text.js';
import { coalesce, coordinates, offsetText, operandAt } from '../lowering/loops.js';
import { elementType, laneText } from './elementwise.wgsl.js';
import { coordinateAxes, printExpression } from './expression.wgsl.js';

/*
 * reduce: y[i] (+)= scale · Σⱼ expression, or max over j. One invocation a kept index and piece of the reduced indices, which it walks
 * in order. Where there are many reduced indices they are cut into pieces whose results go to a temporary [kept, pieces], reduced in
 * turn: the order of a sum is fixed, and short sums of sums round less. Bindings: inputs, y.
 */

export interface StridedReduction {
  readonly kept: Shape;
  readonly reduced: Shape;
  /** Strides over [...kept, ...reduced]. */
  readonly lanes: readonly (Lane & { readonly operand: Operand })[];
  /** Where results go, strides over `kept`. */
  readonly to: Shape;
  readonly y: Operand;
  readonly operation: 'sum' | 'max';
  readonly expression: ExpressionProgram;
  readonly scale: number;
  readonly accumulate: boolean;
}

export function reduce(
  lowering: Lowering,
  { kept, reduced, inputs, ...rest }: Kernel['reduce'],
  reads: readonly Operand[],
  writes: readonly Operand[],
): void {
  const lanes = inputs.map((lane, index) => ({ ...lane, operand: operandAt(reads, index) }));
  reduceStrided(lowering, { ...rest, kept, reduced, lanes, to: stridesOf(kept), y: operandAt(writes, 0) });
}

const ITSELF: ExpressionProgram = compileExpression(e.input(0));

/** y (+)= scale · Σ_s partials[s, …kept] for contiguous partials. */
export function sumPieces(
  lowering: Lowering,
  partials: Operand,
  pieces: number,
  kept: Shape,
  to: Shape,
  y: Operand,
  scale: number,
  accumulate: boolean,
): void {
  const lane = { operand: partials, dtype: 'float32', strides: [...stridesOf(kept), sizeOf(kept)] } as const;
  reduceStrided(lowering, {
    kept,
    reduced: [pieces],
    lanes: [lane],
    to,
    y,
    operation: 'sum',
    expression: ITSELF,
    scale,
    accumulate,
  });
}

export function reduceStrided(lowering: Lowering, spec: StridedReduction): void {
  const { kept, reduced, lanes, expression, operation } = spec;
  const count = sizeOf(kept);
  const length = sizeOf(reduced);
  const wanted = Math.max(
    Math.ceil(length / 4096),
    Math.min(Math.ceil(length / 64), Math.ceil(FEW_INVOCATIONS / count)),
  );
  const size = Math.ceil(length / wanted);
  const pieces = Math.ceil(length / size);

  const k = kernelText(lowering);
  const axes = coordinateAxes(expression);
  const keptAxes = new Set([...axes].filter((axis) => axis < kept.length));
  const reducedAxes = new Set([...axes].filter((axis) => axis >= kept.length).map((axis) => axis - kept.length));
  const to = pieces === 1 ? spec.to : stridesOf([...kept, pieces]).slice(0, -1);
  const outer = coalesce(kept, [...lanes.map(({ strides }) => strides.slice(0, kept.length)), to], keptAxes);
  const inner = coalesce(
    reduced,
    lanes.map(({ strides }) => strides.slice(kept.length)),
    reducedAxes,
  );
  for (const [index, { operand, dtype }] of lanes.entries()) k.read(`x${index}`, operand, elementType(dtype));
  const partials = pieces === 1 ? undefined : lowering.temporary(count * pieces);
  k.write('y', partials ?? spec.y, 'f32', pieces === 1 && spec.accumulate);

  const at = coordinates(k, 'i', outer.shape, pieces === 1 ? 'i' : '(i / p.pieces)');
  const [last, per] = [k.int('length', length), k.int('size', size)];
  k.int('pieces', pieces);
  const bases = lanes.map(
    (_, index) => `let base${index} = ${offsetText(k, `x${index}`, 'i', outer.strides[index] ?? [])};`,
  );
  const inside = coordinates(k, 'j', inner.shape, 'j');
  const { lines, result } = printExpression(
    k,
    expression,
    (index) => laneText(lanes, index, `base${index} + ${offsetText(k, `x${index}`, 'j', inner.strides[index] ?? [])}`),
    (axis) => {
      const moved = axis < kept.length ? outer.axisOf.get(axis) : inner.axisOf.get(axis - kept.length);
      return moved === undefined ? '0.0' : `f32(${axis < kept.length ? 'i' : 'j'}${moved})`;
    },
  );
  if (operation === 'max') k.use('greatest');
  const gather =
    operation === 'sum'
      ? `total += ${result};`
      : `if (j == first) { total = ${result}; } else { total = greatest(total, ${result}); }`;
  const scale = operation === 'sum' && pieces === 1 ? ` * ${k.float('scale', spec.scale)}` : '';
  const place = offsetText(k, 'y', 'i', outer.strides.at(-1) ?? []);
  k.dispatch(
    count * pieces,
    `${at}
${bases.join('\n')}
let piece = i % p.pieces;
let first = piece * ${per};
var total = 0.0;
for (var j = first; j < min(first + ${per}, ${last}); j++) {
${inside}
${lines}
${gather}
}
put_y(${place}${pieces === 1 ? '' : ' + piece'}, total${scale});`,
  );
  if (!partials) return;
  const lane = { operand: partials, dtype: 'float32', strides: stridesOf([...kept, pieces]) } as const;
  reduceStrided(lowering, { ...spec, reduced: [pieces], lanes: [lane], expression: ITSELF });
}
