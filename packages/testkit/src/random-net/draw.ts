/** Random choices from a generator of uniform numbers in [0, 1). */
export interface Draw {
  /** A whole number in [from, to]. */
  whole(from: number, to: number): number;
  chance(probability: number): boolean;
  pick<T>(options: readonly T[]): T;
  /** Uniform in [low, high), a float32 number: every backend starts from the same value. */
  real(low: number, high: number): number;
  /** Standard normal, a float32 number. */
  normal(): number;
  list<T>(length: number, entry: () => T): T[];
}

export function drawFrom(random: () => number): Draw {
  const whole = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
  return {
    whole,
    chance: (probability) => random() < probability,
    pick: (options) => options[whole(0, options.length - 1)] as (typeof options)[number],
    real: (low, high) => Math.fround(low + random() * (high - low)),
    normal: () => Math.fround(Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())),
    list: (length, entry) => Array.from({ length }, entry),
  };
}
