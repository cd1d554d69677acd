/**
 * Keeps the order of calls. An operation runs at once where nothing is pending, so that a caller who never waits pays nothing; while
 * one is pending (its pipelines compile), later ones wait behind it. Operations report their own errors and do not throw.
 */
export interface CallOrder {
  push(operation: () => void | Promise<void>): void;
  /** Whether something is pending, so that what is pushed now waits. */
  readonly busy: boolean;
  /** Settles when everything pushed so far has run. */
  idle(): Promise<void>;
}

export function callOrder(): CallOrder {
  const waiting: (() => void | Promise<void>)[] = [];
  let running: Promise<void> | undefined;
  const drain = async (first: Promise<void>): Promise<void> => {
    await first;
    for (let next = waiting.shift(); next; next = waiting.shift()) await next();
    running = undefined;
  };
  return {
    push(operation) {
      if (running) {
        waiting.push(operation);
        return;
      }
      const pending = operation();
      if (pending) running = drain(pending);
    },
    get busy() {
      return running !== undefined;
    },
    idle: () => running ?? Promise.resolve(),
  };
}
