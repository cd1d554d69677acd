import type { Backend, Storage } from '../backend/backend.js';
import { FLAG } from '../backend/recorder.js';
import { GradPackError } from '../errors/gradpack-error.js';
import { readRange } from '../tensor/read.js';
import { sizeOf } from '../tensor/shape.js';
import { isTensor } from '../tensor/tensor.js';
import type { Results } from './results.js';

/** The word of a step that checks of its program raise: ids out of range, numbers that are not finite. Read once, and only when asked. */
export class StepFlag {
  readonly storage: Storage;
  readonly #backend: Backend;
  #checked: Promise<void> | undefined;
  #told = false;

  constructor(backend: Backend, storage: Storage) {
    this.#backend = backend;
    this.storage = storage;
  }

  /** Whether somebody has asked for it, and was or will be told. */
  get told(): boolean {
    return this.#told;
  }

  /** Rejects with GRADPACK-INDEX or GRADPACK-NOT-FINITE where a check was raised. Shares the transfer of other reads. */
  check(): Promise<void> {
    this.#told = true;
    this.#checked ??= this.#judge();
    return this.#checked;
  }

  /** Reads the word before its memory is given back, for the next `backward` to tell. */
  end(): void {
    this.#checked ??= this.#judge();
  }

  #judge(): Promise<void> {
    const word = readRange(this.#backend, { storage: this.storage, offset: 0, length: 1 });
    const checked = word.then(([bits = 0]) => {
      if (bits & FLAG.indexOutOfRange) throw indexOnDevice();
      if (bits & FLAG.notFinite) throw notFinite([]);
    });
    checked.catch(() => undefined); // whoever asks is told
    return checked;
  }
}

function indexOnDevice(): GradPackError {
  return new GradPackError('GRADPACK-INDEX', 'ids on the device are out of range', {
    where: 'net.backward',
    expected: 'class or token ids within the range of the loss or layer',
    got: 'at least one id outside it, which was clamped; updates by results of this step change nothing',
    fix: 'check the ids before they are put on the device',
  });
}

/** @param names results that hold NaN or infinity */
export function notFinite(names: readonly string[]): GradPackError {
  const which = names.length > 0 ? names.join(', ') : 'a result';
  return new GradPackError('GRADPACK-NOT-FINITE', `a step is not finite`, {
    where: 'net.backward',
    expected: 'finite numbers in the loss and in every result',
    got: `NaN or infinity in ${which}`,
    fix: 'look for NaN or huge numbers in the input and the parameters, or take smaller steps',
    detail: { results: names },
  });
}

/** The results of a step that hold NaN or infinity: `loss`, `gradient of 0.weight`. */
export async function namesOfNotFinite(step: Readonly<Record<string, unknown>>): Promise<readonly string[]> {
  const isBroken = async (x: unknown): Promise<boolean> => {
    if (isTensor(x)) {
      const range = { storage: x['~place'].storage, offset: 0, length: sizeOf(x.shape) };
      return (await readRange(x.backend, range)).some((value) => !Number.isFinite(value));
    }
    if (typeof x !== 'object' || x === null) return false;
    return (await Promise.all(Object.values(x).map(isBroken))).some(Boolean);
  };
  const named = Object.entries(step).flatMap(([name, value]): (readonly [string, unknown])[] => {
    if (isTensor(value)) return [[name, value]];
    return isResults(value) ? [...value].map(([parameter, , x]) => [`${name} of ${parameter}`, x]) : [];
  });
  const broken = await Promise.all(named.map(([, x]) => isBroken(x)));
  return named.flatMap(([name], i) => (broken[i] ? [name] : []));
}

function isResults(x: unknown): x is Results<unknown> {
  return typeof x === 'object' && x !== null && Symbol.iterator in x && 'get' in x;
}
