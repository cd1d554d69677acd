import { addScaled, type HyperDuals, zeros } from '../hyper-dual.js';
import type { NodeOf } from '../node-of.js';
import { at, elements, flatAt, indexAt } from '../positions.js';

/** y[index] = x[from(index)], 0 where that is undefined. */
function moved(
  x: HyperDuals,
  shape: readonly number[],
  from: (index: readonly number[]) => readonly number[] | undefined,
): HyperDuals {
  const y = zeros(shape);
  for (let i = 0; i < elements(shape); i++) {
    const source = from(indexAt(i, shape));
    if (source) addScaled(y, i, x, flatAt(source, x.shape));
  }
  return y;
}

/** Axis j of the result is axis axes[j] of x. */
export function permute(x: HyperDuals, axes: readonly number[]): HyperDuals {
  const shape = axes.map((axis) => at(x.shape, axis));
  return moved(x, shape, (index) => x.shape.map((_, axis) => at(index, axes.indexOf(axis))));
}

export function slice(x: HyperDuals, { axis, start, stop, step = 1 }: NodeOf<'slice'>): HyperDuals {
  const shape = x.shape.with(axis, Math.ceil((stop - start) / step));
  return moved(x, shape, (index) => index.with(axis, start + step * at(index, axis)));
}

export function concat(parts: readonly HyperDuals[], axis: number): HyperDuals {
  const extents = parts.map((part) => at(part.shape, axis));
  const y = zeros(
    at(parts, 0).shape.with(
      axis,
      extents.reduce((sum, extent) => sum + extent, 0),
    ),
  );
  let before = 0;
  for (const part of parts) {
    for (const i of part.value.keys()) {
      const index = indexAt(i, part.shape);
      addScaled(y, flatAt(index.with(axis, before + at(index, axis)), y.shape), part, i);
    }
    before += at(part.shape, axis);
  }
  return y;
}

/** x [N, C, H, W] */
export function zeroPad2d(x: HyperDuals, [left, right, top, bottom]: NodeOf<'zeroPad2d'>['padding']): HyperDuals {
  const [n = 0, c = 0, height = 0, width = 0] = x.shape;
  return moved(x, [n, c, top + height + bottom, left + width + right], ([sample = 0, channel = 0, h = 0, w = 0]) => {
    const [row, column] = [h - top, w - left];
    const inside = row >= 0 && row < height && column >= 0 && column < width;
    return inside ? [sample, channel, row, column] : undefined;
  });
}
