import type { Kernel } from './kernel-call.js';
import type { Place } from './tensor-ref.js';

/** A call whose operands are not numbered yet. */
export type PendingCall = { [Name in keyof Kernel]: PendingCallOf<Name> }[keyof Kernel];

export interface PendingCallOf<Name extends keyof Kernel> {
  readonly kernel: Name;
  readonly reads: readonly Place[];
  readonly writes: readonly Place[];
  readonly spec: Kernel[Name];
  /** Whether what is written matters by itself (a flag, a parameter), also if nobody reads it. */
  readonly effect: boolean;
}
