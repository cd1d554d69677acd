import type { Shape } from '../../tensor/shape.js';

/** Element i of a loop lies at `offset + Σ iₐ strides[a]` of a buffer. */
export interface Walk {
  readonly shape: Shape;
  readonly strides: Shape;
  readonly offset: number;
}

/** A piece of a reader's axis: `extent` steps of `times` old steps each, which are `step` steps along one axis of what was written. */
export interface AxisPart {
  readonly axis: number;
  readonly extent: number;
  readonly times: number;
  /** Absent where the reader stands still. */
  readonly along?: { readonly axis: number; readonly step: number };
}

/** A reader's loop in terms of the loop that wrote: its axes, cut where they pass over several of the writer's, and where it begins. */
export interface Located {
  readonly parts: readonly AxisPart[];
  /** The writer's coordinates of the reader's first element. */
  readonly first: readonly number[];
}

/** Undefined where the reader touches something that was not written there, or passes it in no pattern of strides. */
export function locate(reader: Walk, written: Walk): Located | undefined {
  const nested = nestedAxes(written);
  if (!nested) return undefined;
  const first = written.shape.map(() => 0);
  let rest = reader.offset - written.offset;
  for (const { axis, stride } of nested) {
    first[axis] = Math.floor(rest / stride);
    rest -= (first[axis] as number) * stride;
  }
  if (rest !== 0) return undefined;

  const parts: AxisPart[] = [];
  for (const [axis, extent] of reader.shape.entries()) {
    const cut = cutAxis(axis, extent, reader.strides[axis] as number, nested);
    if (!cut) return undefined;
    parts.push(...cut);
  }
  const [low, high] = [[...first], [...first]];
  for (const { extent, along } of parts)
    if (along) {
      const reached = along.step > 0 ? high : low;
      reached[along.axis] = (reached[along.axis] as number) + (extent - 1) * along.step;
    }
  const inside = written.shape.every((extent, k) => (low[k] as number) >= 0 && (high[k] as number) < extent);
  return inside ? { parts, first } : undefined;
}

interface NestedAxis {
  readonly axis: number;
  readonly extent: number;
  readonly stride: number;
}

/** The axes with the widest stride first, if each steps over all that the later ones reach: then a position has one index. */
function nestedAxes({ shape, strides }: Walk): readonly NestedAxis[] | undefined {
  const axes = shape
    .map((extent, axis): NestedAxis => ({ axis, extent, stride: strides[axis] as number }))
    .filter(({ extent }) => extent > 1)
    .sort((a, b) => b.stride - a.stride);
  let reach = 0;
  for (const { extent, stride } of [...axes].reverse()) {
    if (stride <= reach) return undefined;
    reach += (extent - 1) * stride;
  }
  return axes;
}

/** The axis whole where it stays within one of the writer's, else cut at the writer's borders; outer parts first. */
function cutAxis(
  axis: number,
  extent: number,
  stride: number,
  nested: readonly NestedAxis[],
): readonly AxisPart[] | undefined {
  if (extent === 1 || stride === 0) return [{ axis, extent, times: 1 }];
  const at = nested.findIndex((to) => to.stride <= Math.abs(stride));
  const to = nested[at];
  if (!to || stride % to.stride !== 0) return undefined;
  const step = stride / to.stride;
  const part = (many: number): AxisPart => ({ axis, extent: many, times: 1, along: { axis: to.axis, step } });
  if (Math.abs(step) * (extent - 1) < to.extent) return [part(extent)];
  const wider = nested[at - 1];
  const inner = wider ? wider.stride / Math.abs(stride) : 0;
  if (!Number.isInteger(inner) || inner < 2 || extent % inner !== 0) return undefined;
  const outer = cutAxis(axis, extent / inner, stride * inner, nested);
  return outer && [...outer.map((cut) => ({ ...cut, times: cut.times * inner })), part(inner)];
}

/** Whether the loop covers the elements [offset, offset + length) and each once. */
export function covers({ shape, strides, offset }: Walk, from: number, length: number): boolean {
  const nested = nestedAxes({ shape, strides, offset });
  if (!nested || offset !== from) return false;
  let size = 1;
  for (const axis of [...nested].reverse()) {
    if (axis.stride !== size) return false;
    size *= axis.extent;
  }
  return size === length;
}
