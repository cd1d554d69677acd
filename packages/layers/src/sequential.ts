import { type LayersOf, Module, type Value } from '@gradpack/core';

/** Modules one after the other, named `0`, `1`, … as in PyTorch. */
export class Sequential<const Modules extends readonly Module[]> extends Module<LayersOf<Modules[number]>> {
  readonly layers: Modules;

  constructor(layers: Modules) {
    super();
    this.layers = layers;
  }

  /** The first module gets all inputs. */
  override forward(first: Value, ...rest: Value[]): Value {
    const [head, ...tail] = this.layers;
    return head ? tail.reduce((x, module) => module.forward(x), head.forward(first, ...rest)) : first;
  }

  override namedChildren(): readonly (readonly [name: string, child: Module])[] {
    return this.layers.map((module, i) => [String(i), module]);
  }
}

/**
 * Modules one after the other. The tuple of modules is kept in the type: `model.layers[0].weight` is known.
 *
 * @example
 * const model = sequential(linear(784, 128), relu(), linear(128, 10));
 * model.layers[0].weight.shape;   // [128, 784], named '0.weight'
 */
export function sequential<const Modules extends readonly Module[]>(...layers: Modules): Sequential<Modules> {
  return new Sequential(layers);
}
