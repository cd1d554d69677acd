import type { Kernels } from '../backend/kernels.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import type { Range } from '../derivatives/range.js';
import type { CommonUse, Term, Use } from '../derivatives/use.js';
import { identity } from '../identity.js';
import type { Carry } from '../module/layer.js';
import type { Signal } from '../signal/signal.js';
import type { Tensor } from '../tensor/tensor.js';
import { CORE, type CoreToken } from '../version.js';
import type { Reduction } from './reduction.js';

/**
 * A request for one value per parameter. Its type says its name, the value, the use kinds it can be computed for (`string`: every
 * kind) and what it needs layers and losses to carry.
 */
export interface Quantity<
  Name extends string = string,
  Value = unknown,
  Kinds extends string = string,
  Needs extends Carry = Carry,
> {
  readonly name: Name;
  /** Equal keys, equal plans: name and options. */
  readonly key: string;
  readonly '~core': CoreToken;
  readonly '~value'?: Value;
  readonly '~kinds'?: Kinds;
  readonly '~needs'?: Needs;
}

/** A quantity as the engine sees it. Kept out of `Quantity`, whose types then stay short in messages. */
export type FormedQuantity = Quantity & QuantityForm;

/** The form that `quantity` gave it. */
export function formed(quantity: Quantity): FormedQuantity {
  return quantity as FormedQuantity;
}

export type QuantityForm =
  /** Data: a reduction of G, defined for every use kind. */
  | { readonly by: 'reduction'; readonly signal: Signal; readonly reduce: Reduction }
  /** Code per use kind that looks inside a use. All uses of a parameter must be of one kind (and one view), else it is refused. */
  | { readonly by: 'rules'; readonly signal: Signal; readonly rules: RuleTable }
  /** Any function of G in bounded chunks of samples; `sum` adds the chunks' results, `concat` joins them along axis 0. */
  | {
      readonly by: 'individual';
      readonly signal: Signal;
      readonly combine: 'sum' | 'concat';
      readonly compute: IndividualFunction;
    }
  /** A function that multiplies with curvature, valid until the step is disposed. */
  | { readonly by: 'product'; readonly mode: ProductMode }
  /** Made from other quantities, per parameter. */
  | {
      readonly by: 'derived';
      readonly from: Readonly<Record<string, FormedQuantity>>;
      readonly compute: DerivedFunction;
    };

/** The form of a quantity; by `rules`, with each rule that its type promises. */
export type FormOf<Q extends Quantity> =
  | Exclude<QuantityForm, { readonly by: 'rules' | 'derived' }>
  | { readonly by: 'derived'; readonly from: Readonly<Record<string, Quantity>>; readonly compute: DerivedFunction }
  | { readonly by: 'rules'; readonly signal: Signal; readonly rules: RulesOf<Q> };

/** Which matrix a product multiplies with. */
export type ProductMode = 'ggn' | 'hessian';

/** `G` [V, n, ...θ], at columns and samples of the batch of N. */
export type IndividualFunction = (
  G: TensorRef,
  k: Kernels,
  at: { readonly columns: Range; readonly samples: Range; readonly N: number },
) => TensorRef;

export type DerivedFunction = (parts: Readonly<Record<string, never>>, context: RuleContext) => unknown;

/** Code for one use kind. `Value` has TensorRefs where the user gets Tensors. */
export interface Rule<Value = unknown, U extends Use = Use> {
  /** Once per step, from the uses alone, before any column. */
  prepare?(uses: readonly U[], context: RuleContext): Value;
  /** Once per chunk of columns: the value so far, with the terms' columns added. */
  add(value: Value | undefined, terms: readonly Term<U>[], context: RuleContext): Value;
}

/** A rule whose value and use are known only to who asked for it. */
export interface AnyRule {
  prepare?(uses: never, context: RuleContext): unknown;
  add(value: never, terms: never, context: RuleContext): unknown;
}

/** Rules by use kind. */
export type RuleTable = Readonly<Record<string, AnyRule>>;

/** The rules that a quantity's type promises, one per common use kind. */
export type RulesOf<Q extends Quantity> = {
  readonly [Kind in Extract<CommonUse['kind'], KindsOf<Q>>]: Rule<
    Recorded<ValueOf<Q>>,
    Extract<CommonUse, { readonly kind: Kind }>
  >;
};
type KindsOf<Q> = Q extends { readonly '~kinds'?: infer Kinds } ? Kinds : never;

/** What a rule computes with. */
export interface RuleContext {
  readonly k: Kernels;
  /** Batch size. */
  readonly N: number;
  /** G [V, N, ...θ] of the terms' columns, ties summed. Takes that much memory: for small parameters. */
  individual(terms: readonly Term[]): TensorRef;
  /** Makes a tensor once per step and key, whoever asks. */
  once(key: string, make: () => TensorRef): TensorRef;
}

/** A quantity's value while it is recorded: TensorRef wherever the user gets a Tensor. */
export type Recorded<Value> = Value extends Tensor
  ? TensorRef
  : Value extends object
    ? { [Key in keyof Value]: Recorded<Value[Key]> }
    : Value;

/** The value of a quantity, per parameter. */
export type ValueOf<Q> = Q extends { readonly '~value'?: infer Value } ? Value : never;

/** Names a quantity, for rules: its factory, or `quantityKind`. */
export interface QuantityName<Q extends Quantity> {
  readonly quantity: Q['name'];
  readonly '~quantity'?: Q;
}

/** What makes quantities of one kind. */
export interface QuantityKind<Q extends Quantity, Options extends readonly unknown[] = []> extends QuantityName<Q> {
  (...options: Options): Q;
}

/** Names a quantity by its type alone, so that neither its code nor its package is needed where a rule for it is written. */
export function quantityKind<Q extends Quantity>(name: Q['name']): QuantityName<Q> {
  return { quantity: name };
}

let kinds = 0;

/**
 * Defines a quantity.
 *
 * @param name BackPACK's name in camelCase; third parties: `scope/name`
 * @param make from options to the form
 * @example
 * export const sumGradSquared: QuantityKind<SumGradSquared> = quantity('sumGradSquared', () => ({ by: 'reduction', signal: gradient, reduce: { over: 'all', square: true } }));
 */
export function quantity<Q extends Quantity, Options extends readonly unknown[] = []>(
  name: Q['name'],
  make: (...options: Options) => FormOf<NoInfer<Q>>,
): QuantityKind<Q, Options> {
  const id = kinds++;
  const create = (...options: Options): Q => {
    const form = make(...options);
    return {
      ...form,
      name,
      key: `${name}#${id}(${JSON.stringify(options, keyOfOption)})${keyOfForm(form)}`,
      '~core': CORE,
    } as unknown as Q;
  };
  return Object.assign(create, { quantity: name });
}

/** What JSON would lose counts too: functions, data and other objects by identity, numbers that are not finite by name. */
function keyOfOption(_: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (typeof value === 'function') return `function ${identity(value)}`;
  const isPlain = typeof value !== 'object' || value === null || Array.isArray(value) || isRecord(value);
  return isPlain ? value : `object ${identity(value)}`;
}

function isRecord(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The columns it reads, itself or through its parts. */
function keyOfForm(form: FormOf<Quantity>): string {
  if (form.by === 'derived')
    return Object.values<Quantity>(form.from)
      .map((part) => part.key)
      .join('+');
  return form.by === 'product' ? '' : form.signal.key;
}
