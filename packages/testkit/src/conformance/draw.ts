/** Random numbers for cases. Every float is a float32 number, so that each backend starts from the same input. */
export interface Draw {
  /** A whole number in [from, to]. */
  whole(from: number, to: number): number;
  /** Uniform in [low, high). */
  values(length: number, low?: number, high?: number): Float64Array;
  /** Multiples of 1/8 in [−3, 3]: sums and products of a few are exact in float32, ties happen. */
  eighths(length: number): Float64Array;
  /** Whole numbers in [0, bound). */
  ids(length: number, bound: number): Int32Array;
  pick<T>(options: readonly T[]): T;
}

export function drawFrom(random: () => number): Draw {
  const whole = (from: number, to: number): number =>
    from + Math.min(to - from, Math.floor(random() * (to - from + 1)));
  return {
    whole,
    values: (length, low = -1, high = 1) =>
      Float64Array.from({ length }, () => Math.fround(low + random() * (high - low))),
    eighths: (length) => Float64Array.from({ length }, () => whole(-24, 24) / 8),
    ids: (length, bound) => Int32Array.from({ length }, () => whole(0, bound - 1)),
    pick: (options) => options[whole(0, options.length - 1)] as (typeof options)[number],
  };
}
