/** Row-major arithmetic: flat position ↔ one index per axis. */

export function elements(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

export function indexAt(flat: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  let rest = flat;
  for (const extent of shape.toReversed()) {
    index.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return index;
}

export function flatAt(index: readonly number[], shape: readonly number[]): number {
  return shape.reduce((flat, extent, axis) => flat * extent + at(index, axis), 0);
}

/** An entry that is known to exist. */
export function at<T>(array: ArrayLike<T>, position: number): T {
  if (position < 0 || position >= array.length) throw new RangeError(`no entry ${position} among ${array.length}`);
  return array[position] as T;
}

/** One number for all axes, or one per axis. */
export function perAxis(axes: number | readonly number[], rank: number): readonly number[] {
  return typeof axes === 'number' ? Array<number>(rank).fill(axes) : axes;
}
