import { GradPackError } from '../errors/gradpack-error.js';
import { type Shape, showShape } from '../tensor/shape.js';
import { CORE } from '../version.js';
import { requireSameCore } from './core-check.js';
import type { Layer, Mode } from './layer.js';
import type { Value } from './value.js';

/** One call of a layer. */
export interface Node {
  readonly id: number;
  readonly layer: Layer;
  /** The layer that was expanded into this node, so that rules for it can still be found. */
  readonly origin?: Layer;
  readonly mode: Mode;
  /** Ordinal of the call that the user made, for randomness: expansions do not shift it. */
  readonly ordinal: number;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

export interface TapeOptions {
  readonly mode: Mode;
  /** Whether a layer is to be replaced by its expansion. */
  readonly expands: (layer: Layer) => boolean;
  /** A layer's name for messages. */
  readonly nameOf: (layer: Layer) => string;
  /** Throws where a layer with parameters has no name. */
  readonly requireName: (layer: Layer) => void;
}

/** The calls of one forward pass, in order: a graph of shapes. */
export class Tape {
  readonly nodes: Node[] = [];
  readonly options: TapeOptions;
  '~origin': Layer | undefined;
  '~calls' = 0;

  constructor(options: TapeOptions) {
    this.options = options;
  }

  /** An input of the net. */
  leaf(shape: Shape, dtype: Value['dtype']): Value {
    return { shape, dtype, producer: undefined, tape: this, '~core': CORE };
  }

  /** Records `layer(inputs)` and returns its outputs. */
  call(layer: Layer, ...inputs: Value[]): readonly Value[] {
    requireSameCore(layer, `${layer.kind}.forward`);
    for (const value of inputs) {
      requireSameCore(value, `${layer.kind}.forward`);
      if (value.tape !== this)
        throw new GradPackError('GRADPACK-OPTION', 'a value of another forward pass was used', {
          where: `${this.options.nameOf(layer)}.forward`,
          expected: 'values made in this forward()',
          got: `a value of shape ${showShape(value.shape)} kept from an earlier forward()`,
          fix: 'do not store values in fields; compute them again in each forward()',
        });
    }
    this.options.requireName(layer);
    const accepted = inputs[0];
    if (layer.accepts === 'float' && accepted?.dtype === 'int32')
      throw new GradPackError('GRADPACK-DTYPE', `${layer.kind} takes float values`, {
        where: this.options.nameOf(layer),
        expected: 'a float value',
        got: 'int32 ids',
        fix: 'pass a Float32Array, or put an embedding in front',
      });
    if (layer.accepts === 'int32' && accepted?.producer && accepted.dtype !== 'int32')
      throw new GradPackError('GRADPACK-DTYPE', `${layer.kind} takes whole numbers`, {
        where: this.options.nameOf(layer),
        expected: 'int32 ids straight from an input of the net',
        got: `the float output of ${accepted.producer.layer.kind}`,
        fix: 'feed ids as an input of the net',
      });
    if (layer.expand && this.options.expands(layer)) {
      const outer = this['~origin'];
      this['~origin'] ??= layer;
      try {
        return layer.expand(...inputs);
      } finally {
        this['~origin'] = outer;
      }
    }
    const shapes = this.#outputShapes(layer, inputs);
    const batch = accepted?.shape[0];
    for (const shape of shapes)
      if (shape[0] !== batch)
        throw new GradPackError('GRADPACK-SHAPE', `${layer.kind} must keep the batch axis first`, {
          where: this.options.nameOf(layer),
          expected: `an output whose axis 0 is ${batch}`,
          got: showShape(shape),
          fix: 'leave axis 0 alone in reshape, permute and slice',
        });
    if (!this['~origin']) this['~calls']++;
    const outputs: Value[] = [];
    const node: Node = {
      id: this.nodes.length,
      layer,
      ...(this['~origin'] && { origin: this['~origin'] }),
      mode: layer['~mode'] ?? this.options.mode,
      ordinal: this['~calls'],
      inputs,
      outputs,
    };
    for (const shape of shapes) outputs.push({ shape, dtype: 'float', producer: node, tape: this, '~core': CORE });
    this.nodes.push(node);
    return outputs;
  }

  #outputShapes(layer: Layer, inputs: readonly Value[]): readonly Shape[] {
    try {
      return layer.outputShapes(...inputs.map((value) => value.shape));
    } catch (error) {
      // a layer does not know its own name
      const name = this.options.nameOf(layer);
      throw error instanceof GradPackError && name !== layer.kind ? error.at(name) : error;
    }
  }
}
