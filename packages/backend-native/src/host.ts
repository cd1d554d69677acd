import { availableParallelism, totalmem } from 'node:os';
import { GradPackError } from '@gradpack/core';
import { cgroupQuota } from './cgroup-quota.js';

const MOST_THREADS = 256;

/** Bytes of memory that this process may take. */
export function physicalMemory(): number {
  const constrained = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return Math.min(totalmem(), constrained);
}

/** Threads to use: the option, else GRADPACK_THREADS, else the cores that this process may use. */
export function threadCount(option: number | undefined, where: string): number {
  const environment = process.env.GRADPACK_THREADS;
  const threads = option ?? (environment ? Number(environment) : usableCores());
  if (Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS) return threads;
  throw new GradPackError('GRADPACK-OPTION', 'the number of threads makes no sense', {
    where,
    expected: `a whole number from 1 to ${MOST_THREADS}`,
    got: option ?? `GRADPACK_THREADS=${environment}`,
    fix: 'leave it out to use all cores',
  });
}

/** By affinity and quota. A quota of 2.5 cores makes 2 threads: one that uses up its quota stands still, and the others wait for it. */
function usableCores(): number {
  const quota = cgroupQuota() ?? Number.POSITIVE_INFINITY;
  return Math.max(1, Math.min(availableParallelism(), Math.floor(quota), MOST_THREADS));
}
