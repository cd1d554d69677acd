import type { PendingCall } from '../pending-call.js';
import type { Place, RecordedBuffer } from '../tensor-ref.js';

/** Calls by their place, and which of them read and write a buffer, while calls are replaced and dropped. */
export class Uses {
  readonly #calls: (PendingCall | undefined)[];
  readonly #readers = new Map<RecordedBuffer, Set<number>>();
  readonly #writers = new Map<RecordedBuffer, Set<number>>();

  constructor(calls: readonly PendingCall[]) {
    this.#calls = [...calls];
    calls.forEach((call, at) => {
      this.#add(call, at);
    });
  }

  calls(): readonly PendingCall[] {
    return this.#calls.filter((call) => call !== undefined);
  }
  /** Undefined where it was dropped. */
  at(place: number): PendingCall | undefined {
    return this.#calls[place];
  }
  /** In order. */
  readers(buffer: RecordedBuffer): readonly number[] {
    return inOrder(this.#readers.get(buffer));
  }
  /** In order. */
  writers(buffer: RecordedBuffer): readonly number[] {
    return inOrder(this.#writers.get(buffer));
  }
  /** Whether a call after `from`, up to and with `to`, writes the buffer. */
  isWrittenBetween(buffer: RecordedBuffer, from: number, to: number): boolean {
    return this.writers(buffer).some((at) => at > from && at <= to);
  }

  replace(place: number, call: PendingCall | undefined): void {
    const old = this.#calls[place];
    if (old) {
      for (const { buffer } of old.reads) this.#readers.get(buffer)?.delete(place);
      for (const { buffer } of old.writes) this.#writers.get(buffer)?.delete(place);
    }
    this.#calls[place] = call;
    if (call) this.#add(call, place);
  }

  #add({ reads, writes }: PendingCall, at: number): void {
    const add = (to: Map<RecordedBuffer, Set<number>>, { buffer }: Place): void => {
      const known = to.get(buffer) ?? new Set();
      to.set(buffer, known.add(at));
    };
    for (const place of reads) add(this.#readers, place);
    for (const place of writes) add(this.#writers, place);
  }
}

function inOrder(places: ReadonlySet<number> | undefined): readonly number[] {
  return [...(places ?? [])].sort((a, b) => a - b);
}
