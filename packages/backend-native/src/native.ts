import type { Precision } from '@gradpack/core';
import { GradPackError } from '@gradpack/core';
import { type NativeBackend, nativeBackend } from './backend.js';
import { guarded } from './failure.js';
import { physicalMemory, threadCount } from './host.js';
import { loadAddon } from './loader.js';

export interface NativeOptions {
  /** Threads that kernels use, the calling one included. Default: GRADPACK_THREADS, else the cores that affinity and quota leave this process. */
  readonly threads?: number;
  /** Float type of all numbers. Default 'float32'. */
  readonly precision?: Precision;
  /** Bytes that one step may take by default, and that are kept for reuse. Default: half of physical memory. */
  readonly memory?: number;
  /** Which device computes. Default 'auto', which is the CPU. */
  readonly device?: 'auto' | 'cpu';
}

/**
 * The backend of compiled kernels: C++ on all cores, with the widest vectors of this machine. Short programs run on the calling
 * thread, longer ones beside it. Throws GRADPACK-NO-BACKEND where the addon is not built, GRADPACK-OPTION for options that make no sense.
 *
 * @example
 * const net = await extend(model, crossEntropyLoss(), { backend: await native() });
 */
export async function native({
  threads,
  precision = 'float32',
  memory,
  device = 'auto',
}: NativeOptions = {}): Promise<NativeBackend> {
  const where = 'native';
  assertOption(precision === 'float32' || precision === 'float64', 'precision', "'float32' or 'float64'", precision);
  assertOption(device === 'auto' || device === 'cpu', 'device', "'auto' or 'cpu'", device);
  assertOption(
    memory === undefined || (memory > 0 && memory <= 2 ** 47),
    'memory',
    'a number of bytes above 0',
    memory,
  );
  const count = threadCount(threads, where);
  const addon = loadAddon(where);
  const physical = physicalMemory();
  const settings = { precision, threads: count, memory: Math.floor(memory ?? physical / 2), physical };
  return guarded(where, () => nativeBackend(addon, settings));
}

function assertOption(sound: boolean, option: string, expected: string, got: unknown): void {
  if (sound) return;
  throw new GradPackError('GRADPACK-OPTION', `the option ${option} makes no sense`, {
    where: 'native',
    expected,
    got,
    fix: 'leave it out for the default',
  });
}
