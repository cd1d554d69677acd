import type { Shape } from '../tensor/shape.js';
import { make, type Parameter } from './parameter.js';

/** State that is not trained, such as running statistics: it never gets a gradient, and is part of the state dict. */
export interface Buffer extends Parameter {
  readonly trainable: false;
}

/** A buffer whose entries all begin as `value`. */
export function buffer(shape: Shape, value: number): Buffer {
  return make(shape, { kind: 'constant', value }, false) as Buffer;
}
