import type { Backend } from '../backend/backend.js';
import type { ArrayInput } from '../tensor/host-array.js';
import { CORE, type CoreToken } from '../version.js';
import type { Layer, Mode } from './layer.js';
import { namesOf } from './names.js';
import { initialize, loadStateDict, type StateDict, stateDict } from './state-dict.js';
import type { Value } from './value.js';

/**
 * Anything with a forward pass. Layers, parameters and buffers get PyTorch's names from a module's own public fields and arrays,
 * in order (`0.weight`, `body.1.bias`). `L` names the layers inside for the compile-time check; left out, they are checked at run time.
 *
 * @example
 * class Block<Body extends Module> extends Module<LayersOf<Body>> {
 *   constructor(readonly body: Body) { super(); }
 *   forward(x: Value) { return add(this.body.forward(x), x); }
 * }
 */
export abstract class Module<L extends Layer = Layer> {
  declare readonly '~layers'?: L;
  declare readonly '~core': CoreToken;
  declare '~mode'?: Mode | undefined;

  /** Computes on shapes: calls layers and value functions. May branch on anything but numbers. */
  abstract forward(...inputs: Value[]): Value;

  /** The modules directly inside this one, with their names. By default the public fields and arrays, in order. */
  namedChildren(): readonly (readonly [name: string, child: Module])[] {
    return publicFields(this, isModule);
  }

  /** Fixes this module and those inside it in evaluation mode, whatever a step asks for. */
  eval(): this {
    return fixMode(this, 'eval');
  }
  /** Fixes this module and those inside it in training mode; `train(undefined)` follows the step again. */
  train(mode: Mode | undefined = 'train'): this {
    return fixMode(this, mode);
  }

  /** Draws the numbers of all parameters that have none yet, by their paths. `extend` does it with its own seed. */
  initialize(seed: number): this {
    initialize(this, seed);
    return this;
  }
  /**
   * Moves all parameters and buffers to a backend. Nets made before on another backend can then no longer run: extend the model again.
   */
  async to(backend: Backend): Promise<this> {
    await Promise.all([...namesOf(this).parameters.keys()].map((parameter) => parameter['~state'].move(backend)));
    return this;
  }
  /** Copies of all parameters and buffers by PyTorch's names; a tied parameter stands under each of them. */
  stateDict(): Promise<StateDict> {
    return stateDict(this);
  }
  /** Sets all parameters and buffers. Throws GRADPACK-UNKNOWN-NAME and GRADPACK-SHAPE before it changes any. */
  loadStateDict(dict: Readonly<Record<string, ArrayInput>>): this {
    loadStateDict(this, dict);
    return this;
  }
}
// on the prototype: not a field, hence never taken for a child
Object.defineProperty(Module.prototype, '~core', { value: CORE });

/** The layers that a module’s type names. */
export type LayersOf<M extends Module> = M extends Module<infer L> ? L : never;

function isModule(x: unknown): x is Module {
  return typeof x === 'object' && x !== null && '~core' in x && 'forward' in x;
}

/** What the public fields and arrays of a module hold, with names such as `blocks.0`, in order. */
export function publicFields<T>(module: Module, is: (x: unknown) => x is T): (readonly [name: string, found: T])[] {
  const found: (readonly [string, T])[] = [];
  const visit = (name: string, x: unknown): void => {
    if (is(x)) found.push([name, x]);
    else if (Array.isArray(x)) for (const [i, item] of x.entries()) visit(`${name}.${i}`, item);
  };
  for (const [field, x] of Object.entries(module)) visit(field, x);
  return found;
}

function fixMode<M extends Module>(module: M, mode: Mode | undefined, seen: Set<Module> = new Set()): M {
  if (seen.has(module)) return module;
  seen.add(module);
  Object.defineProperty(module, '~mode', { value: mode, configurable: true, enumerable: false });
  for (const [, child] of module.namedChildren()) fixMode(child, mode, seen);
  return module;
}
