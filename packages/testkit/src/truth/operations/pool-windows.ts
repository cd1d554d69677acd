import type { PoolNode } from '../node-of.js';
import { at, perAxis } from '../positions.js';

export interface PoolWindow {
  /** Flat positions in the plane [H, W], row by row; those in the padding are left out. */
  readonly positions: readonly number[];
  /** Entries of the window that lie in the plane or its padding: what an average that counts padding divides by. */
  readonly padded: number;
}

export interface PoolWindows {
  readonly outputShape: readonly [number, number];
  readonly windows: readonly PoolWindow[];
}

export function poolWindows(node: PoolNode, [height, width]: readonly [number, number]): PoolWindows {
  const rows = windowsAlong(node, 0, height);
  const columns = windowsAlong(node, 1, width);
  return {
    outputShape: [rows.length, columns.length],
    windows: rows.flatMap((row) =>
      columns.map((column) => ({
        positions: row.positions.flatMap((h) => column.positions.map((w) => h * width + w)),
        padded: row.padded * column.padded,
      })),
    ),
  };
}

function windowsAlong(node: PoolNode, axis: 0 | 1, length: number): PoolWindow[] {
  const kernel = at(perAxis(node.kernelSize, 2), axis);
  const stride = at(perAxis(node.stride ?? node.kernelSize, 2), axis);
  const padding = at(perAxis(node.padding ?? 0, 2), axis);
  const dilation = node.op === 'maxPool2d' ? at(perAxis(node.dilation ?? 1, 2), axis) : 1;
  const steps = (length + 2 * padding - dilation * (kernel - 1) - 1) / stride;
  let count = (node.ceilMode ? Math.ceil(steps) : Math.floor(steps)) + 1;
  // PyTorch: the last window has to start inside the input or the padding before it.
  if (node.ceilMode && (count - 1) * stride >= length + padding) count--;
  return Array.from({ length: count }, (_, t) => {
    const entries = Array.from({ length: kernel }, (_, k) => t * stride - padding + k * dilation);
    return {
      positions: entries.filter((p) => p >= 0 && p < length),
      padded: entries.filter((p) => p < length + padding).length,
    };
  });
}
