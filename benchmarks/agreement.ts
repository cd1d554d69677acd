type Named = ReadonlyMap<string, ArrayLike<number>>;

/** Of the largest entry of each result; everything computes in float32. */
const TOLERANCE = 1e-4;

/** Throws where two implementations did not compute the same. */
export function requireAgreement(what: string, expected: Named, actual: Named): void {
  const names = [...expected.keys()];
  if (names.length !== actual.size) throw new Error(`${what}: ${actual.size} results, expected ${names.length}`);
  for (const name of names) {
    const error = relativeError(expected.get(name) ?? [], actual.get(name) ?? []);
    if (!(error <= TOLERANCE))
      throw new Error(`${what}: ${name} differs by ${error.toExponential(1)} of its largest entry`);
  }
}

/** max |a − b| / max |b|, NaN where one has a NaN or they differ in length. */
function relativeError(expected: ArrayLike<number>, actual: ArrayLike<number>): number {
  if (expected.length !== actual.length) return Number.NaN;
  let [difference, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [actual[i] ?? Number.NaN, expected[i] ?? Number.NaN];
    if (Number.isNaN(a - b)) return Number.NaN;
    difference = Math.max(difference, Math.abs(a - b));
    largest = Math.max(largest, Math.abs(b));
  }
  return difference === 0 ? 0 : difference / largest;
}
