import type { TensorRef } from '../backend/tensor-ref.js';

/** Whether a part of a recorded value is a tensor. */
export function isTensorRef(x: unknown): x is TensorRef {
  return typeof x === 'object' && x !== null && 'buffer' in x && 'offset' in x && 'shape' in x;
}

/** Replaces each leaf of a value (a tensor, or an object or array of values) for which `is` holds. */
export function mapLeaves<T, U>(value: unknown, is: (x: unknown) => x is T, replace: (leaf: T) => U): unknown {
  if (is(value)) return replace(value);
  if (Array.isArray(value)) return value.map((item) => mapLeaves(item, is, replace));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapLeaves(item, is, replace)]));
}

export function leavesOf<T>(value: unknown, is: (x: unknown) => x is T): T[] {
  const found: T[] = [];
  mapLeaves(value, is, (leaf) => found.push(leaf));
  return found;
}
