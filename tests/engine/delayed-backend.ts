import { cpu } from '@gradpack/backend-cpu';
import { type Backend, typedArrayOf } from '@gradpack/core';

/** The cpu backend as a device would be: what is asked for happens in order, but a turn of the event loop later. */
export function delayedCpu(): Backend {
  const inner = cpu({ precision: 'float64' });
  let last: Promise<unknown> = Promise.resolve();
  const later = <T>(job: () => T | Promise<T>): Promise<T> => {
    const made = last.then(() => new Promise((resolve) => setImmediate(resolve))).then(job);
    last = made.catch(() => undefined);
    return made;
  };
  return {
    ...inner,
    get state() {
      return inner.state;
    },
    write(storage, data) {
      const copy = typedArrayOf(storage.dtype, data);
      void later(() => inner.write(storage, copy));
    },
    release: (storage) => void later(() => inner.release(storage)),
    read: (ranges) => later(() => inner.read(ranges)),
    run: (prepared, bindings, options) => later(() => inner.run(prepared, bindings, options)),
    prepare(program) {
      const prepared = inner.prepare(program);
      const { dispose } = prepared;
      return Object.assign(prepared, { dispose: () => void later(dispose) });
    },
  };
}
