import type { ArrayInput, HostArray } from '../tensor/host-array.js';
import type { Shape } from '../tensor/shape.js';
import type { Initializer } from './initializer.js';
import { type ParameterNumbers, ParameterState } from './parameter-state.js';

/**
 * Numbers that a net learns: an identity with a shape. Its name, a path such as `0.weight`, belongs to the net that holds it, and
 * one parameter may be used several times and in several nets on one backend.
 */
export interface Parameter {
  readonly shape: Shape;
  /** A frozen parameter gets no result, and no columns are pulled below the lowest trainable one. */
  trainable: boolean;
  /** Rises with every `set` and `update`. */
  readonly version: number;
  /** Replaces the numbers, after the steps that were called before. Throws GRADPACK-SHAPE. */
  set(values: ArrayInput): void;
  /** A copy of the numbers, after the steps that were called before. */
  data(): Promise<HostArray>;
  readonly '~state': ParameterNumbers;
}

/** A trainable parameter. Its numbers are drawn when a net (or `stateDict`) first needs them. */
export function parameter(shape: Shape, initializer: Initializer): Parameter {
  return make(shape, initializer, true);
}

export function make(shape: Shape, initializer: Initializer, trainable: boolean): Parameter {
  const state = new ParameterState([...shape], initializer);
  return {
    shape: state.shape,
    trainable,
    get version() {
      return state.version;
    },
    set: (values) => state.set(values),
    data: () => state.data(),
    '~state': state,
  };
}

export function isParameter(x: unknown): x is Parameter {
  return typeof x === 'object' && x !== null && '~state' in x && x['~state'] instanceof ParameterState;
}
