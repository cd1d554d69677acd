import type { Backend } from '../backend/backend.js';

/** How many steps may have been started and not finished. */
const IN_FLIGHT = 2;

/**
 * What is asked of one backend starts in call order: steps, writes, updates and reads. A task starts at once when nothing waits
 * before it, so that a short step costs no turn of the event loop.
 */
class Queue {
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  /** Adds the open task, if there is one. */
  #close: () => void = () => undefined;

  /** Starts `task` after all earlier ones have started and fewer than two are unfinished. */
  add<T>(task: () => T | Promise<T>): T | Promise<T> {
    this.#close();
    if (this.#waiting.length === 0 && this.#running < IN_FLIGHT) return this.#start(task);
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(this.#start(task));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** Does something short in call order: at once unless tasks wait. Memory and programs are given back so, never before a task that needs them. */
  inOrder(task: () => void): void {
    this.#close();
    if (this.#waiting.length === 0) task();
    else this.#waiting.push(task);
  }

  /** A task that stays open until this microtask ends, or until something else is added: what it does may grow until then. */
  addOpen<T>(task: () => Promise<T>, closed: () => void): Promise<T> {
    this.#close();
    return new Promise<T>((resolve, reject) => {
      const close = (): void => {
        if (this.#close !== close) return;
        this.#close = () => undefined;
        closed();
        Promise.resolve(this.add(task)).then(resolve, reject);
      };
      this.#close = close;
      queueMicrotask(close);
    });
  }

  #start<T>(task: () => T | Promise<T>): T | Promise<T> {
    const result = task();
    if (!(result instanceof Promise)) return result;
    this.#running++;
    const done = (): void => {
      this.#running--;
      while (this.#waiting.length > 0 && this.#running < IN_FLIGHT) this.#waiting.shift()?.();
    };
    result.then(done, done);
    return result;
  }
}

const queues = new WeakMap<Backend, Queue>();

/** The order in which a backend is asked for things, shared by all nets on it. */
export function queueOf(backend: Backend): Queue {
  let queue = queues.get(backend);
  if (!queue) {
    queue = new Queue();
    queues.set(backend, queue);
  }
  return queue;
}
