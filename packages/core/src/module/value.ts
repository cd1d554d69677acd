import type { Shape } from '../tensor/shape.js';
import type { CoreToken } from '../version.js';
import type { Layer } from './layer.js';
import type { Node } from './tape.js';

/** The tape, as far as values know it. An interface, so that the types of two copies of core agree. */
export interface Calls {
  /** Records `layer(inputs)` and returns its outputs. */
  call(layer: Layer, ...inputs: Value[]): readonly Value[];
}

/** What `forward()` sees: a shape and an element type, never numbers. Its identity is the key of everything the engine carries. */
export interface Value {
  /** Axis 0 is the batch. */
  readonly shape: Shape;
  readonly dtype: 'float' | 'int32';
  /** The call that made it; absent for inputs of the net. */
  readonly producer: Node | undefined;
  readonly tape: Calls;
  readonly '~core': CoreToken;
}
