import type { Dtype } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import { collapse, coordinatesOf, renumberAxes } from './broadcast.js';
import { compileExpression, type Expression } from './expression.js';
import type { Kernel, Lane } from './kernel-call.js';

/** Specifications with as few loops as do the same. */

export function copySpec(dtype: Dtype, shape: Shape, from: Shape, to: Shape, accumulate: boolean): Kernel['copy'] {
  const loops = collapse(shape, [from, to], new Set());
  const [fromLane, toLane] = loops.lanes as [Shape, Shape];
  return { dtype, shape: loops.shape, from: fromLane, to: toLane, accumulate };
}

export interface MapParts {
  readonly shape: Shape;
  /** Strides over `shape`. */
  readonly inputs: readonly Lane[];
  readonly to: Shape;
  /** Coordinates count the axes of `shape`. */
  readonly expression: Expression;
  readonly accumulate: boolean;
}

export function mapSpec({ shape, inputs, to, expression, accumulate }: MapParts): Kernel['map'] {
  const loops = collapse(shape, [...inputs.map(({ strides }) => strides), to], coordinatesOf(expression));
  return {
    shape: loops.shape,
    inputs: inputs.map(({ dtype }, i): Lane => ({ strides: loops.lanes[i] as Shape, dtype })),
    to: loops.lanes[inputs.length] as Shape,
    expression: compileExpression(renumberAxes(expression, loops.axes)),
    accumulate,
  };
}

export interface ReduceParts extends Pick<Kernel['reduce'], 'kept' | 'reduced' | 'operation' | 'scale' | 'accumulate'> {
  /** Strides over [...kept, ...reduced]. */
  readonly inputs: readonly Lane[];
  /** Coordinates count the axes of [...kept, ...reduced]. */
  readonly expression: Expression;
}

/** Loops over kept and reduced axes are joined apart. */
export function reduceSpec({ kept, reduced, inputs, expression, ...rest }: ReduceParts): Kernel['reduce'] {
  const pinned = coordinatesOf(expression);
  const first = kept.length;
  const outer = collapse(
    kept,
    inputs.map(({ strides }) => strides.slice(0, first)),
    new Set([...pinned].filter((axis) => axis < first)),
  );
  const inner = collapse(
    reduced,
    inputs.map(({ strides }) => strides.slice(first)),
    new Set([...pinned].flatMap((axis) => (axis < first ? [] : [axis - first]))),
  );
  const axes = [...outer.axes, ...inner.axes.map((axis) => (axis < 0 ? -1 : axis + outer.shape.length))];
  return {
    ...rest,
    kept: outer.shape,
    reduced: inner.shape,
    inputs: inputs.map(
      ({ dtype }, i): Lane => ({ strides: [...(outer.lanes[i] as Shape), ...(inner.lanes[i] as Shape)], dtype }),
    ),
    expression: compileExpression(renumberAxes(expression, axes)),
  };
}
