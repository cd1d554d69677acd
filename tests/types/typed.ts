type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** `typed<Expected>()(value)` compiles only where the value has exactly this type. */
export function typed<Expected>(): <Actual>(
  actual: Actual,
  ...ok: Equal<Actual, Expected> extends true ? [] : [never]
) => void {
  return () => {};
}
