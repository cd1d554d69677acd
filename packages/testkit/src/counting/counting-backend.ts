import { type Backend, bytesPerElement, type Dtype, type Kernel, type Prepared, type Program } from '@gradpack/core';

/** What a backend was asked for. */
export interface Counts {
  /** Programs that were prepared, in order: one per plan that was recorded. */
  readonly prepared: readonly Program[];
  /** Programs that were run, in order. */
  readonly ran: readonly Program[];
  /** Transfers to the host. */
  readonly reads: number;
  readonly writes: number;
  /** Storage that was allocated, in order. */
  readonly allocated: readonly { readonly dtype: Dtype; readonly length: number }[];
  /** Of `allocated`. */
  readonly bytes: number;
  /** The most runs that were started and not finished at one time. */
  readonly inFlight: number;
  /** Kernel calls of all runs, by kernel. */
  calls(kernel: keyof Kernel): number;
}

export interface CountingBackend extends Backend {
  /** Since it was made, or since `reset`. */
  readonly counts: Counts;
  reset(): void;
}

/**
 * Counts what a backend is asked for: programs, runs, kernel calls, transfers and bytes. The promises that speed rests on are tests of
 * these counts.
 *
 * @example
 * const backend = countingBackend(cpu());
 * const net = await extend(model, loss, { backend });
 * using step = await net.backward(x, y, { norms: batchL2Grad() });
 * backend.counts.calls('outer'); // one per parameter
 */
export function countingBackend(inner: Backend): CountingBackend {
  let prepared: Program[] = [];
  let ran: Program[] = [];
  let allocated: { dtype: Dtype; length: number }[] = [];
  let [reads, writes, running, inFlight] = [0, 0, 0, 0];
  const counts: Counts = {
    get prepared() {
      return prepared;
    },
    get ran() {
      return ran;
    },
    get reads() {
      return reads;
    },
    get writes() {
      return writes;
    },
    get allocated() {
      return allocated;
    },
    get bytes() {
      return allocated.reduce((sum, { dtype, length }) => sum + length * bytesPerElement(dtype), 0);
    },
    get inFlight() {
      return inFlight;
    },
    calls: (kernel) => callsOf(ran, kernel),
  };
  const view = inner.view?.bind(inner);
  const take = inner.take?.bind(inner);
  const recycle = inner.recycle?.bind(inner);
  return {
    name: inner.name,
    precision: inner.precision,
    limits: inner.limits,
    get state() {
      return inner.state;
    },
    counts,
    reset() {
      [prepared, ran, allocated] = [[], [], []];
      [reads, writes, inFlight] = [0, 0, running];
    },
    allocate(dtype, length) {
      allocated.push({ dtype, length });
      return inner.allocate(dtype, length);
    },
    write(storage, data) {
      writes++;
      inner.write(storage, data);
    },
    read(ranges) {
      reads++;
      return inner.read(ranges);
    },
    prepare(program): Prepared {
      prepared.push(program);
      return inner.prepare(program);
    },
    run(one, bindings, options) {
      ran.push(one.program);
      running++;
      inFlight = Math.max(inFlight, running);
      const done = (): void => {
        running--;
      };
      const result = inner.run(one, bindings, options);
      if (result) result.then(done, done);
      else done();
      return result;
    },
    release: (storage) => inner.release(storage),
    ...(view && { view }),
    ...(take && {
      take(ranges) {
        reads++;
        return take(ranges);
      },
    }),
    ...(recycle && { recycle }),
    memory: () => inner.memory(),
    dispose: () => inner.dispose(),
  };
}

function callsOf(programs: readonly Program[], kernel: keyof Kernel): number {
  return programs.reduce((sum, { calls }) => sum + calls.filter((call) => call.kernel === kernel).length, 0);
}
