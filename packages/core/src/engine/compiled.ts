import type { Backend, Prepared } from '../backend/backend.js';
import type { Recorded } from '../backend/recording.js';
import { queueOf } from './queue.js';

/** A plan with its program prepared on a backend. */
export interface Compiled<Plan extends { readonly recorded: Recorded } = { readonly recorded: Recorded }> {
  readonly plan: Plan;
  readonly prepared: Prepared;
}

/** Gives a program back after the runs that were asked for before. */
export function discard(backend: Backend, { prepared }: Compiled): void {
  queueOf(backend).inOrder(() => prepared.dispose());
}

export function compile<Plan extends { readonly recorded: Recorded }>(backend: Backend, plan: Plan): Compiled<Plan> {
  return { plan, prepared: backend.prepare(plan.recorded.program) };
}
