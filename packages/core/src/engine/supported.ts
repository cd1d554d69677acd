import type { Carry, Layer } from '../module/layer.js';
import type { FormedQuantity, Quantity, ValueOf } from '../quantity/quantity.js';
import type { Missing } from '../quantity/registry.js';
import type { Results } from './results.js';
import type { ReadStep, StepBase } from './step.js';

/** Quantities by the names that a step will have. */
export type Quantities = Readonly<Record<string, Quantity>>;
/** The same as the engine sees them. */
export type FormedQuantities = Readonly<Record<string, FormedQuantity>>;

/** Quantities as they were given, but for those that lack a pair: in their place stands a text that names it, which is the compile error. */
export type Supported<Q extends Quantities, L extends Layer, LossCarries extends Carry, Covers extends string> = {
  readonly [Key in keyof Q]: Key extends keyof StepBase
    ? `the name ${Key & string} is taken`
    : [Missing<L, Q[Key], Covers> | MissingInLoss<Q[Key], LossCarries>] extends [never]
      ? Q[Key]
      : Missing<L, Q[Key], Covers> | MissingInLoss<Q[Key], LossCarries>;
};

type MissingInLoss<Q, LossCarries extends Carry> = Q extends {
  readonly name: infer Name extends string;
  readonly '~needs'?: infer Needs extends Carry;
}
  ? string extends Name
    ? never
    : Needs extends LossCarries
      ? never
      : `${Name} needs ${Needs} from the loss`
  : never;

/** What a step found, under the names that the quantities were given. */
export type Step<Q extends Quantities = Quantities> = Omit<StepBase, 'read' | 'take'> &
  Found<Q> & { read(): Promise<ReadStep<Found<Q>>>; take(): Promise<ReadStep<Found<Q>>> };

type Found<Q extends Quantities> = { readonly [Key in keyof Q]: FoundOf<Q[Key]> };

type FoundOf<Q> = ValueOf<Q> extends (...args: never) => unknown ? ValueOf<Q> : Results<ValueOf<Q>>;
