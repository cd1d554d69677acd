import type { ConvolutionNode } from '../node-of.js';
import { at, elements, flatAt, indexAt, perAxis } from '../positions.js';

type PaddingMode = NonNullable<ConvolutionNode['paddingMode']>;

/** Where position p of the padded axis lies in the axis of that many entries; undefined: a zero. */
const INSIDE: Readonly<Record<PaddingMode, (p: number, length: number) => number | undefined>> = {
  zeros: (p, length) => (p >= 0 && p < length ? p : undefined),
  reflect: (p, length) => (p < 0 ? -p : p >= length ? 2 * (length - 1) - p : p),
  replicate: (p, length) => Math.min(Math.max(p, 0), length - 1),
  circular: (p, length) => (p + length) % length,
};

export interface ConvolutionWindows {
  readonly outputShape: readonly number[];
  /** Per output position, per kernel offset: the flat input position read there; undefined: padding with zero. */
  readonly sources: readonly (readonly (number | undefined)[])[];
}

/** `inputShape` and `kernel` are the spatial axes alone. */
export function convolutionWindows(
  node: ConvolutionNode,
  inputShape: readonly number[],
  kernel: readonly number[],
): ConvolutionWindows {
  const rank = inputShape.length;
  const stride = perAxis(node.stride ?? 1, rank);
  const dilation = perAxis(node.dilation ?? 1, rank);
  const inside = INSIDE[node.paddingMode ?? 'zeros'];
  const padding = paddingPerAxis(node, kernel, dilation);
  const outputShape = inputShape.map((length, axis) => {
    const padded = length + at(padding, axis).low + at(padding, axis).high;
    return Math.floor((padded - at(dilation, axis) * (at(kernel, axis) - 1) - 1) / at(stride, axis)) + 1;
  });
  const source = (t: number, k: number): number | undefined => {
    const [output, offset] = [indexAt(t, outputShape), indexAt(k, kernel)];
    const position: number[] = [];
    for (const [axis, length] of inputShape.entries()) {
      const p = at(output, axis) * at(stride, axis) + at(offset, axis) * at(dilation, axis) - at(padding, axis).low;
      const found = inside(p, length);
      if (found === undefined) return undefined;
      position.push(found);
    }
    return flatAt(position, inputShape);
  };
  const offsets = Array.from({ length: elements(kernel) }, (_, k) => k);
  return {
    outputShape,
    sources: Array.from({ length: elements(outputShape) }, (_, t) => offsets.map((k) => source(t, k))),
  };
}

function paddingPerAxis(
  node: ConvolutionNode,
  kernel: readonly number[],
  dilation: readonly number[],
): readonly { readonly low: number; readonly high: number }[] {
  const { padding = 0 } = node;
  if (padding === 'same') {
    return kernel.map((extent, axis) => {
      const total = at(dilation, axis) * (extent - 1);
      return { low: Math.floor(total / 2), high: Math.ceil(total / 2) };
    });
  }
  return perAxis(padding === 'valid' ? 0 : padding, kernel.length).map((p) => ({ low: p, high: p }));
}
