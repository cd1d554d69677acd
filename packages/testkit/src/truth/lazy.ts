/** An object whose properties are computed when first read, once. */
export function lazy<T extends object>(properties: { readonly [K in keyof T]: () => T[K] }): Readonly<T> {
  const object = {} as T;
  for (const key of Object.keys(properties) as (keyof T)[]) {
    const compute = once(properties[key]);
    Object.defineProperty(object, key, { get: compute, enumerable: true });
  }
  return object;
}

export function once<T>(compute: () => T): () => T {
  let known: { readonly result: T } | undefined;
  return () => {
    known ??= { result: compute() };
    return known.result;
  };
}
