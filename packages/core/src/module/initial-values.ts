import { hash, philox, uniformOf } from '../random/philox.js';
import { type Shape, sizeOf } from '../tensor/shape.js';
import type { Initializer } from './initializer.js';

/** The initial numbers of a parameter: Philox with key (seed, path), one counter per entry. */
export function initialValues(
  shape: Shape,
  initializer: Initializer,
  seed: number,
  path: string,
): Float64Array<ArrayBuffer> {
  const values = new Float64Array(sizeOf(shape));
  if (initializer.kind === 'constant') return values.fill(initializer.value);
  const key = [seed >>> 0, hash(path)] as const;
  for (let i = 0; i < values.length; i++) {
    const words = philox([i, 0, 0, 0], key);
    const u = uniformOf(words[0]);
    if (initializer.kind === 'uniform') values[i] = (2 * u - 1) * initializer.bound;
    else values[i] = initializer.deviation * Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * uniformOf(words[1]));
  }
  if (initializer.kind === 'normal' && initializer.zeroRow !== undefined) {
    const row = values.length / (shape[0] as number);
    values.fill(0, initializer.zeroRow * row, (initializer.zeroRow + 1) * row);
  }
  return values;
}
