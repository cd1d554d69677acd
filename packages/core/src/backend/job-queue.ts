/** Jobs in call order: one runs at once unless an earlier one is suspended or goes on elsewhere. */
export interface JobQueue {
  /** Whether a job that is submitted now runs now. */
  readonly idle: boolean;
  /** The job's result, at once where it needs no waiting. What the job throws is thrown, or rejects. */
  submit<T>(job: () => T | Promise<T>): T | Promise<T>;
}

/** An empty queue, for one backend. */
export function jobQueue(): JobQueue {
  const waiting: (() => Promise<unknown> | undefined)[] = [];
  let suspended = false;
  async function drain(): Promise<void> {
    for (let next = waiting.shift(); next; next = waiting.shift()) await next();
    suspended = false;
  }
  return {
    get idle() {
      return !suspended;
    },
    submit<T>(job: () => T | Promise<T>): T | Promise<T> {
      if (!suspended) {
        const result = job();
        if (!(result instanceof Promise)) return result;
        suspended = true;
        result.then(drain, drain);
        return result;
      }
      return new Promise<T>((resolve, reject) => {
        waiting.push(() => {
          try {
            const result = job();
            if (result instanceof Promise) return result.then(resolve, reject);
            resolve(result);
          } catch (error) {
            reject(error);
          }
          return undefined;
        });
      });
    },
  };
}
