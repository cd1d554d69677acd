import type { Kernels, Stream } from '../backend/kernels.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import type { Linearization } from '../derivatives/linearization.js';
import type { Use } from '../derivatives/use.js';
import type { Shape } from '../tensor/shape.js';
import { requireSameCore } from './core-check.js';
import { Module } from './module.js';
import type { Parameter } from './parameter.js';
import type { Value } from './value.js';

/** `train` switches dropout and batch statistics on. */
export type Mode = 'train' | 'eval';

/**
 * What a layer lets through. `columns`: first-order quantities and GGN columns (every layer); `curvature`: its own second derivative,
 * for Hessian diagonals; `product`: tangents, for Hessian- and GGN-vector products; `average`: KFRA's averaged matrix.
 */
export type Carry = 'columns' | 'curvature' | 'product' | 'average';

/** What the engine may assume of a layer in a mode. */
export interface Traits {
  /** Second derivative in the inputs: none (piecewise linear), elementwise (`residual`), coupled (`pullTangent`). */
  readonly curvature: 'none' | 'elementwise' | 'coupled';
  /** The Jacobian does not depend on the sample. */
  readonly sampleFree: boolean;
  /** Samples influence each other, so that only sums of G over the samples, and products, are defined. */
  readonly mixesSamples: boolean;
}

/** What `linearize` is told beside its inputs. */
export interface LinearizeContext {
  readonly mode: Mode;
  /** The value of a parameter or buffer of this layer. */
  valueOf(parameter: Parameter): TensorRef;
  /** Randomness of this call, the same whatever quantities are asked for. */
  readonly stream: Stream;
  /** `Layer.scalars`, bound per run. */
  readonly scalars: readonly TensorRef[];
}

/**
 * A module that knows its own derivative. Its type names its kind, its parameter uses and what it carries (itself, or by
 * `expand`), so that a missing pair is a compile error; its fields say the same at run time.
 *
 * @typeParam Kind `conv2d`; third parties `scope/name`
 */
export interface Layer<Kind extends string = string, U extends Use = Use, C extends Carry = Carry>
  extends Module<Layer<Kind, U, C>> {
  readonly kind: Kind;
  /** Upper bound of the use kinds; the plan reads `Linearization.uses`. */
  readonly uses: readonly U['kind'][];
  readonly carries: readonly C[];
  /** Of its first input; int32 for class and token ids. */
  readonly accepts: 'float' | 'int32';
  /** Where it accepts int32: ids must be in [0, idBound). */
  readonly idBound?: number;
  /** Layers with equal keys are interchangeable; without one a layer is only equal to itself. For layers without parameters. */
  readonly key?: string;
  /** Numbers that may change from call to call without a new plan. */
  readonly scalars?: readonly number[];
  traits(mode: Mode): Traits;
  /** From shapes alone; throws GRADPACK-SHAPE, naming layer, expected and got. Axis 0 is the batch and stays first. */
  outputShapes(...inputs: Shape[]): readonly Shape[];
  linearize(inputs: readonly TensorRef[], k: Kernels, context: LinearizeContext): Linearization<U>;
  /** The same function from smaller layers, for steps that need what `carries` lacks. */
  expand?(...inputs: Value[]): readonly Value[];
}

/** What a layer definition leaves to `layer()`. */
export type LayerDefinition<L extends Layer> = Omit<L, keyof Module>;

/**
 * Completes a layer: `forward` puts a call on the tape, and parameters in public fields get names.
 *
 * @example
 * export const negate = (): Negate => layer<Negate>({ kind: 'acme/negate', uses: [], carries: ['columns'], accepts: 'float', traits, outputShapes, linearize });
 */
export function layer<L extends Layer>(definition: LayerDefinition<L>): L {
  return Object.assign(Object.create(LAYER_PROTOTYPE), definition) as L;
}

class LayerBase extends Module {
  override forward(this: Layer, first: Value, ...rest: Value[]): Value {
    if (!first?.tape) requireSameCore(first, `${this.kind}.forward`); // of two copies the tape tells
    return first.tape.call(this, first, ...rest)[0] as Value;
  }
}
const LAYER_PROTOTYPE: object = LayerBase.prototype;

/** Whether a module is a layer. */
export function isLayer(module: Module): module is Layer {
  return 'linearize' in module;
}

/** The uses that a layer’s type names. */
export type UsesOf<L extends Layer> = L extends Layer<string, infer U> ? U : never;

/** The common traits of layers that are linear in their input for every sample alike. */
export const LINEAR_TRAITS: Traits = { curvature: 'none', sampleFree: true, mixesSamples: false };
