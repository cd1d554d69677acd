import type { Data } from './data.js';
import type { Implementation, Subject } from './implementation.js';
import type { Problem } from './problem.js';
import type { QuantityName } from './quantities.js';

/** Subjects of one problem, each made once. */
export class Subjects {
  readonly #problem: Problem;
  readonly #data: Data;
  readonly #made = new Map<string, Subject | undefined>();

  constructor(problem: Problem, data: Data) {
    this.#problem = problem;
    this.#data = data;
  }

  async of(implementation: Implementation, quantity: QuantityName): Promise<Subject | undefined> {
    const key = `${implementation.name} ${quantity}`;
    if (!this.#made.has(key)) this.#made.set(key, await implementation.prepare(this.#problem, quantity, this.#data));
    return this.#made.get(key);
  }

  async dispose(): Promise<void> {
    for (const subject of this.#made.values()) await subject?.dispose();
  }
}
