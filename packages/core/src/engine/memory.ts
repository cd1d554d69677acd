import { afterTurn } from '../backend/after-turn.js';
import type { Backend, Storage } from '../backend/backend.js';
import { warn } from '../errors/warn.js';
import { queueOf } from './queue.js';

/** Storages that end together. A holder that is dropped without `release` is found by the garbage collector, with one warning. */
export interface Holding {
  readonly storages: Storage[];
  readonly backend: Backend;
  released: boolean;
  /** Called before the storages are given back. */
  readonly end?: () => void;
}

const lost = new FinalizationRegistry<Holding>((holding) => {
  if (holding.released) return;
  warn(
    'step-not-disposed',
    'a step was dropped without dispose(); its memory is given back now, late. Call step.dispose(), or write `using step = …`.',
  );
  release(holding);
});

/** Releases storages after everything that was asked for before. */
export function giveBack(backend: Backend, storages: readonly Storage[]): void {
  if (storages.length === 0) return;
  queueOf(backend).inOrder(() => {
    if (backend.state === 'alive') for (const storage of storages) backend.release(storage);
  });
}

/**
 * The holder that was made last, until the next one, its release or the next turn of the event loop: most are released before, and
 * the garbage collector takes 30 µs for each that it has watched for a moment.
 */
let latest: { readonly holder: object; readonly holding: Holding } | undefined;
let isTurnAwaited = false;

function watchLatest(): void {
  if (latest) lost.register(latest.holder, latest.holding, latest.holding);
  latest = undefined;
}

/** Watches `holder`: when it is collected, the holding is released. */
export function holdFor(holder: object, holding: Holding): void {
  watchLatest();
  latest = { holder, holding };
  if (isTurnAwaited) return;
  isTurnAwaited = true;
  afterTurn(() => {
    isTurnAwaited = false;
    watchLatest();
  });
}

export function release(holding: Holding): void {
  if (holding.released) return;
  holding.released = true;
  if (latest?.holding === holding) latest = undefined;
  else lost.unregister(holding);
  holding.end?.();
  giveBack(holding.backend, holding.storages);
}

/** Takes a storage out: who calls has to release it. False where the holding does not have it any more. */
export function withdraw({ storages, released }: Holding, storage: Storage): boolean {
  const at = storages.indexOf(storage);
  if (at < 0 || released) return false;
  storages.splice(at, 1);
  return true;
}
