/// <reference lib="esnext.disposable" preserve="true" />
import type { HostArray } from '../tensor/host-array.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Host, Results } from './results.js';

/** What every step has. Everything in it lives until `dispose`. */
export interface StepBase {
  /** [] */
  readonly loss: Tensor;
  /** Gradient of the loss per trainable parameter, of the parameter's shape. Throws on `get` where it was switched off. */
  readonly gradient: Results<Tensor>;
  /** What `onMissing: 'skip'` left out, with the reasons. */
  readonly skipped: readonly { readonly quantity: string; readonly parameter?: string; readonly reason: string }[];
  /** Settles when the step has run and its checks on the device are known; rejects with GRADPACK-INDEX or GRADPACK-NOT-FINITE. */
  readonly done: Promise<void>;
  /** Everything on the host by one transfer: `loss` as a number, and results with host arrays, under the step's own names. */
  read(): Promise<Record<string, unknown>>;
  /**
   * The same, and the step is disposed: without a copy where the backend can (native); see `Tensor.take`. Throws GRADPACK-DISPOSED where
   * something of the step was disposed or taken before: the rest then lives on.
   */
  take(): Promise<Record<string, unknown>>;
  /** Gives the memory back. Nothing happens the second time. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** What `step.read()` and `step.take()` give: products are functions, and stay behind. */
export type ReadStep<Found> = { readonly loss: number; readonly gradient: Results<HostArray> } & {
  readonly [Key in Exclude<keyof Found, keyof StepBase> as Found[Key] extends Results<unknown>
    ? Key
    : never]: Found[Key] extends Results<infer Value> ? Results<Host<Value>> : never;
};
