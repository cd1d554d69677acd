import type { Dtype } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import type { ProgramBuffer } from './program.js';

/** An element of a recorded buffer. */
export interface Place {
  readonly buffer: RecordedBuffer;
  /** Elements from the start of the buffer. */
  readonly offset: number;
}

/**
 * A tensor of a program that is being recorded: a shape, an element type and a place, never numbers. Row-major and contiguous.
 * It stays valid while the recording, or a product recorded after it, is made.
 */
export interface TensorRef extends Place {
  readonly shape: Shape;
  readonly dtype: Dtype;
}

/** A buffer before it has a number. Its identity is its key. */
export interface RecordedBuffer {
  readonly dtype: Dtype;
  readonly length: number;
  readonly role: ProgramBuffer['role'];
  readonly data?: ProgramBuffer['data'];
}
