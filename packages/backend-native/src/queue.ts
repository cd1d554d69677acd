/** Jobs in call order: one is done at once unless an earlier one goes on elsewhere. */
export interface Queue {
  /** Whether a job that is submitted now is done now. */
  readonly idle: boolean;
  /** The job's result, at once where nothing goes on. What the job throws is thrown, or rejects. */
  submit<T>(job: () => T | Promise<T>): T | Promise<T>;
}

export function queue(): Queue {
  const waiting: (() => Promise<unknown> | undefined)[] = [];
  let busy = false;
  const drain = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await next();
    busy = false;
  };
  return {
    get idle() {
      return !busy;
    },
    submit<T>(job: () => T | Promise<T>): T | Promise<T> {
      if (!busy) {
        const result = job();
        if (!(result instanceof Promise)) return result;
        busy = true;
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
