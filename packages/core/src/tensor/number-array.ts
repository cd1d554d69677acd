/**
 * What a typed array of any element type can do: numbers in order. Its methods are those of `Float32Array`, which a union of typed arrays
 * cannot be called through.
 *
 * @example
 * const norms = await step.norms.get('0.weight').data();
 * const total = norms.reduce((sum, norm) => sum + norm, 0);
 */
export interface NumberArray extends ArrayLike<number>, Iterable<number> {
  readonly buffer: ArrayBuffer;
  readonly byteLength: number;
  readonly byteOffset: number;
  readonly BYTES_PER_ELEMENT: number;
  at(index: number): number | undefined;
  entries(): IterableIterator<[number, number]>;
  every(holds: (value: number, index: number) => boolean): boolean;
  fill(value: number, start?: number, end?: number): this;
  filter(holds: (value: number, index: number) => boolean): NumberArray;
  find(holds: (value: number, index: number) => boolean): number | undefined;
  findIndex(holds: (value: number, index: number) => boolean): number;
  forEach(visit: (value: number, index: number) => void): void;
  includes(value: number): boolean;
  indexOf(value: number): number;
  keys(): IterableIterator<number>;
  join(separator?: string): string;
  map(f: (value: number, index: number) => number): NumberArray;
  reduce(f: (result: number, value: number, index: number) => number): number;
  reduce<Result>(f: (result: Result, value: number, index: number) => Result, initial: Result): Result;
  set(values: ArrayLike<number>, offset?: number): void;
  slice(start?: number, end?: number): NumberArray;
  some(holds: (value: number, index: number) => boolean): boolean;
  sort(compare?: (a: number, b: number) => number): this;
  subarray(start?: number, end?: number): NumberArray;
  values(): IterableIterator<number>;
}
