import { GradPackError } from '../errors/gradpack-error.js';
import type { NumberArray } from './number-array.js';
import { type Shape, showShape, sizeOf } from './shape.js';

/** Numbers on the host with a shape, row-major. */
export interface HostArray {
  readonly shape: Shape;
  readonly data: NumberArray;
}

/** Arrays of arrays of numbers. */
export type Nested = number | readonly Nested[];

/** Numbers in any form that GradPack takes: nested arrays, a typed array (one axis), or data with a shape. */
export type ArrayInput = Nested | ArrayLike<number> | { readonly shape: Shape; readonly data: ArrayLike<number> };

/** Flat numbers with their shape, row-major. */
export interface FlatArray {
  readonly shape: Shape;
  readonly data: ArrayLike<number>;
}

/** Shape and flat data of host numbers. Throws GRADPACK-SHAPE for ragged arrays and for data that does not fill its shape. */
export function flatten(x: ArrayInput, where: string): FlatArray {
  if (typeof x === 'number') return { shape: [], data: [x] };
  if (!isNumbers(x)) throw isFromJson(x) ? throughJson(where) : notNumbers(x, where);
  if ('shape' in x) {
    if (sizeOf(x.shape) !== x.data.length || x.shape.some((extent) => !Number.isInteger(extent) || extent < 0))
      throw new GradPackError('GRADPACK-SHAPE', 'the data does not fill its shape', {
        where,
        expected: `${sizeOf(x.shape)} numbers for shape ${showShape(x.shape)}`,
        got: `${x.data.length} numbers`,
        fix: 'pass a shape whose product is the number of entries',
      });
    return { shape: x.shape, data: x.data };
  }
  if (ArrayBuffer.isView(x)) return { shape: [x.length], data: x as ArrayLike<number> };
  const shape: number[] = [];
  for (let level: Nested = x as Nested; isRow(level); level = level[0] as Nested) {
    shape.push(level.length);
    if (level.length === 0) break;
  }
  const data = new Float64Array(sizeOf(shape));
  let at = 0;
  const visit = (level: Nested, axis: number): void => {
    const isNumber = typeof level === 'number';
    if (!isNumber && !isRow(level)) throw notNumbers(level, where);
    if (isNumber !== (axis === shape.length) || (!isNumber && level.length !== shape[axis]))
      throw new GradPackError('GRADPACK-SHAPE', 'a nested array is ragged', {
        where,
        expected: `every array at depth ${axis} to have ${shape[axis] ?? 'no'} entries`,
        got: isNumber ? 'a number' : `${level.length} entries`,
        fix: 'make all rows equally long, or pass { data, shape }',
      });
    if (isNumber) data[at++] = level;
    else for (const item of level) visit(item, axis + 1);
  };
  visit(x as Nested, 0);
  return { shape, data };
}

function isRow(x: unknown): x is readonly Nested[] {
  return Array.isArray(x) || ArrayBuffer.isView(x);
}

function isNumbers(x: unknown): boolean {
  if (typeof x !== 'object' || x === null) return false;
  if ('shape' in x) return Array.isArray(x.shape) && 'data' in x && typeof x.data === 'object' && isNumbers(x.data);
  if (ArrayBuffer.isView(x)) return 'length' in x && !(x instanceof BigInt64Array || x instanceof BigUint64Array);
  return Array.isArray(x);
}

/** `{"0": 1, "1": 2}`: what JSON makes of a typed array. */
function isFromJson(x: unknown): boolean {
  if (typeof x !== 'object' || x === null) return false;
  const data: unknown = 'data' in x ? x.data : x;
  return typeof data === 'object' && data !== null && !Array.isArray(data) && !ArrayBuffer.isView(data) && '0' in data;
}

function throughJson(where: string): GradPackError {
  return new GradPackError('GRADPACK-DTYPE', 'the numbers are an object with keys 0, 1, …, not an array', {
    where,
    expected: 'an array or typed array of numbers',
    got: 'what JSON.stringify makes of a typed array',
    fix: 'write Array.from(data) to JSON',
  });
}

function notNumbers(x: unknown, where: string): GradPackError {
  return new GradPackError('GRADPACK-DTYPE', 'this is not an array of numbers', {
    where,
    expected: 'nested arrays of numbers, a typed array, { data, shape } or a tensor',
    got: describe(x),
    fix: 'await promises, and convert other containers to a typed array',
  });
}

function describe(x: unknown): string {
  if (typeof x === 'string') return `the text '${x}'`;
  if (typeof x !== 'object' || x === null) return String(x);
  return x.constructor === Object ? 'an object without data and shape' : `a ${x.constructor?.name ?? 'thing'}`;
}
