import { type Shape, sizeOf, stridesOf } from '../../tensor/shape.js';
import { coordinatesOf, renumberAxes } from '../broadcast.js';
import { copySpec, mapSpec, reduceSpec } from '../elementwise-spec.js';
import { type Expression, input, substitute } from '../expression.js';
import type { Lane } from '../kernel-call.js';
import type { PendingCall, PendingCallOf } from '../pending-call.js';
import type { Place } from '../tensor-ref.js';
import { expressionOf } from './expression-of.js';
import { type AxisPart, type Located, locate, type Walk } from './locate.js';

/** A `map`, `copy` or `reduce` as one form: an expression over strided inputs. */
export interface Elementwise {
  readonly call: PendingCallOf<'map'> | PendingCallOf<'copy'> | PendingCallOf<'reduce'>;
  /** Of a reduction [...kept, ...reduced]. */
  readonly shape: Shape;
  readonly inputs: readonly StridedInput[];
  /** Where results go, strides over `shape`; not of a reduction, which writes in order. */
  readonly to: Shape;
  readonly expression: Expression;
}

export interface StridedInput extends Lane {
  readonly place: Place;
}

/** With the result a WebGPU stage binds 8 buffers, the fewest that every device has. */
const MOST_INPUTS = 7;
/** A native block of this many registers stays in the first cache. */
const MOST_REGISTERS = 12;
const MOST_INSTRUCTIONS = 48;
const MOST_AXES = 8;
/** Operations that may be done again where the result is broadcast: as long as a call of its own would take. */
const REPEATED = 2 ** 15;

export function elementwiseOf(call: PendingCall): Elementwise | undefined {
  switch (call.kernel) {
    case 'map': {
      const { shape, inputs, to, expression } = call.spec;
      return { call, shape, inputs: withPlaces(inputs, call.reads), to, expression: expressionOf(expression) };
    }
    case 'copy': {
      const { shape, from, to, dtype } = call.spec;
      return { call, shape, inputs: withPlaces([{ strides: from, dtype }], call.reads), to, expression: input(0) };
    }
    case 'reduce': {
      const { kept, reduced, inputs, expression } = call.spec;
      const to = [...stridesOf(kept), ...reduced.map(() => 0)];
      const shape = [...kept, ...reduced];
      return { call, shape, inputs: withPlaces(inputs, call.reads), to, expression: expressionOf(expression) };
    }
    default:
      return undefined;
  }
}

const withPlaces = (lanes: readonly Lane[], places: readonly Place[]): StridedInput[] =>
  lanes.map((lane, i) => ({ ...lane, place: places[i] as Place }));

/** Whether a call only moves numbers. */
export function isCopy({ call, expression, inputs }: Elementwise): boolean {
  return call.kernel !== 'reduce' && expression.op === 'input' && inputs[0]?.dtype === call.writes[0]?.buffer.dtype;
}

/** Where an elementwise call writes; a reduction's results are not its elements. */
export function written({ call, shape, to }: Elementwise): Walk {
  return { shape, strides: to, offset: (call.writes[0] as Place).offset };
}

/**
 * `consumer` with `producer` computed in place of its input `index`. Undefined where that is no pattern of strides, where it would
 * need more inputs or registers than every backend has, or where it would do much work again.
 */
export function compose(consumer: Elementwise, index: number, producer: Elementwise): Elementwise | undefined {
  const read = consumer.inputs[index] as StridedInput;
  const at = locate({ shape: consumer.shape, strides: read.strides, offset: read.place.offset }, written(producer));
  if (!at || coordinatesOf(producer.expression).size > 0) return undefined;
  const again = sizeOf(consumer.shape) - sizeOf(producer.shape);
  if (again * operationsOf(producer) > REPEATED) return undefined;
  const cut = cutAxes(consumer, at.parts);
  if (!cut) return undefined;
  const inputs = [
    ...cut.inputs.slice(0, index),
    ...producer.inputs.map((lane) => through(lane, at)),
    ...cut.inputs.slice(index + 1),
  ];
  const others = producer.inputs.length - 1;
  const produced = substitute(
    producer.expression,
    producer.inputs.map((_, i) => input(index + i)),
  );
  const expression = substitute(
    cut.expression,
    cut.inputs.map((_, i) => (i < index ? input(i) : i === index ? produced : input(i + others))),
  );
  const merged = mergeInputs({ ...cut, inputs, expression });
  return fits(merged) ? merged : undefined;
}

/** A writer's input as its reader walks over it. */
export function through(lane: StridedInput, { parts, first }: Located): StridedInput {
  const stride = (axis: number): number => lane.strides[axis] as number;
  const skipped = first.reduce((sum, coordinate, axis) => sum + coordinate * stride(axis), 0);
  return {
    dtype: lane.dtype,
    place: { buffer: lane.place.buffer, offset: lane.place.offset + skipped },
    strides: parts.map(({ along }) => (along ? along.step * stride(along.axis) : 0)),
  };
}

/** The same loop with axes cut in parts; a coordinate that is asked for must stay whole. */
function cutAxes(e: Elementwise, parts: readonly AxisPart[]): Elementwise | undefined {
  const cut = (strides: Shape): number[] => parts.map(({ axis, times }) => (strides[axis] as number) * times);
  const placesOf = (axis: number): number[] => parts.flatMap((part, place) => (part.axis === axis ? [place] : []));
  const asked = coordinatesOf(e.expression);
  if ([...asked].some((axis) => placesOf(axis).length > 1)) return undefined;
  return {
    call: cutReduction(e.call, parts),
    shape: parts.map(({ extent }) => extent),
    inputs: e.inputs.map((lane) => ({ ...lane, strides: cut(lane.strides) })),
    to: cut(e.to),
    expression: renumberAxes(
      e.expression,
      e.shape.map((_, axis) => placesOf(axis)[0] as number),
    ),
  };
}

function cutReduction(call: Elementwise['call'], parts: readonly AxisPart[]): Elementwise['call'] {
  if (call.kernel !== 'reduce') return call;
  const first = call.spec.kept.length;
  const extents = (reduced: boolean): number[] =>
    parts.flatMap(({ axis, extent }) => (axis >= first === reduced ? [extent] : []));
  return { ...call, spec: { ...call.spec, kept: extents(false), reduced: extents(true) } };
}

/** Inputs that are read alike become one. */
function mergeInputs(e: Elementwise): Elementwise {
  const inputs: StridedInput[] = [];
  const numbers = e.inputs.map((lane) => {
    const known = inputs.findIndex((other) => readAlike(lane, other));
    return known < 0 ? inputs.push(lane) - 1 : known;
  });
  return { ...e, inputs, expression: substitute(e.expression, numbers.map(input)) };
}

function readAlike(a: StridedInput, b: StridedInput): boolean {
  const isSamePlace = a.place.buffer === b.place.buffer && a.place.offset === b.place.offset;
  return isSamePlace && a.dtype === b.dtype && a.strides.every((stride, axis) => stride === b.strides[axis]);
}

function operationsOf({ call }: Elementwise): number {
  if (call.kernel === 'copy') return 0;
  return call.spec.expression.instructions.filter(({ op }) => op !== 'input' && op !== 'constant').length;
}

function fits(e: Elementwise): boolean {
  const { kernel, spec } = callOf(e);
  if (kernel === 'copy') return spec.shape.length <= MOST_AXES;
  const axes = kernel === 'map' ? spec.shape.length : spec.kept.length + spec.reduced.length;
  const { instructions, registers } = spec.expression;
  return (
    axes <= MOST_AXES &&
    spec.inputs.length <= MOST_INPUTS &&
    registers <= MOST_REGISTERS &&
    instructions.length <= MOST_INSTRUCTIONS
  );
}

/** The call, with as few loops as do the same. */
export function callOf(e: Elementwise): Elementwise['call'] {
  const { call, shape, inputs, to, expression } = e;
  const { writes, effect } = call;
  const reads = inputs.map(({ place }) => place);
  const [only] = inputs;
  const { accumulate } = call.spec;
  if (call.kernel === 'reduce')
    return { kernel: 'reduce', reads, writes, effect, spec: reduceSpec({ ...call.spec, inputs, expression }) };
  if (only && isCopy(e))
    return {
      kernel: 'copy',
      reads,
      writes,
      effect,
      spec: copySpec(only.dtype, shape, only.strides, to, accumulate),
    };
  return { kernel: 'map', reads, writes, effect, spec: mapSpec({ shape, inputs, to, expression, accumulate }) };
}
