/** A map that keeps its `capacity` last-used entries; what falls out is disposed. */
export class LeastRecentlyUsed<Value> {
  readonly #entries = new Map<string, Value>();
  readonly #capacity: number;
  readonly #dispose: (value: Value) => void;

  constructor(capacity: number, dispose: (value: Value) => void) {
    this.#capacity = capacity;
    this.#dispose = dispose;
  }

  get(key: string, make: () => Value): Value {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known;
    }
    const made = make();
    this.#entries.set(key, made);
    if (this.#entries.size > this.#capacity) {
      const [[oldest, value]] = this.#entries as unknown as [[string, Value]];
      this.#entries.delete(oldest);
      this.#dispose(value);
    }
    return made;
  }

  clear(): void {
    for (const value of this.#entries.values()) this.#dispose(value);
    this.#entries.clear();
  }
}
