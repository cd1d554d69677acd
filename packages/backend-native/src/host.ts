import { availableParallelism, totalmem } from 'node:os';
import { GradPackError } from '@gradpack/core';

/** Bytes of memory that this process may take. */
export function physicalMemory(): number {
  const constrained = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return Math.min(totalmem(), constrained);
}

/** Threads to use: the option, else GRADPACK_THREADS, else the cores of this machine. */
export function threadCount(option: number | undefined, where: string): number {
  const environment = process.env.GRADPACK_THREADS;
  const threads = option ?? (environment ? Number(environment) : availableParallelism());
  if (Number.isInteger(threads) && threads >= 1 && threads <= 256) return threads;
  throw new GradPackError('GRADPACK-OPTION', 'the number of threads makes no sense', {
    where,
    expected: 'a whole number from 1 to 256',
    got: option ?? `GRADPACK_THREADS=${environment}`,
    fix: 'leave it out to use all cores',
  });
}
