interface Numbers {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** `max |a − b| / max |expected|`, or of `scale` in place of it; the shapes must be equal. Infinite where one is NaN. */
export function relativeError(got: Numbers, expected: Numbers, what: string, scale: Numbers = expected): number {
  if (got.shape.join() !== expected.shape.join())
    throw new Error(`${what}: shape [${got.shape}] instead of [${expected.shape}]`);
  let worst = 0;
  for (let i = 0; i < expected.data.length; i++) {
    const [a, b] = [got.data[i] as number, expected.data[i] as number];
    if (Number.isNaN(a)) return Number.POSITIVE_INFINITY;
    worst = Math.max(worst, Math.abs(a - b));
  }
  const largest = largestOf(scale);
  return largest === 0 ? worst : worst / largest;
}

export interface Compared {
  readonly quantity: string;
  readonly parameter: string;
  readonly got: Numbers;
  readonly expected: Numbers;
  /** What errors are relative to; `expected` when absent. */
  readonly scale?: Numbers;
}

export interface QuantityError {
  readonly quantity: string;
  readonly parameter: string;
  readonly error: number;
}

/** A parameter whose entries nearly cancel is held to this share of the quantity's largest entry over all parameters. */
const CANCELLED = 1e-3;

/** `max |a − b| / max |expected|` per quantity and parameter. */
export function relativeErrors(compared: readonly Compared[]): readonly QuantityError[] {
  const largest = new Map<string, number>();
  for (const { quantity, expected, scale = expected } of compared)
    largest.set(quantity, Math.max(largest.get(quantity) ?? 0, largestOf(scale)));
  return compared.map(({ quantity, parameter, got, expected, scale = expected }) => {
    const own = largestOf(scale);
    const floor = CANCELLED * (largest.get(quantity) ?? 0);
    const error = relativeError(got, expected, `${quantity} of ${parameter}`, scale);
    return { quantity, parameter, error: own > 0 ? (error * own) / Math.max(own, floor) : error };
  });
}

function largestOf({ data }: Numbers): number {
  let largest = 0;
  for (let i = 0; i < data.length; i++) largest = Math.max(largest, Math.abs(data[i] as number));
  return largest;
}
