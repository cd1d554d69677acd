import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os';
import type { QuantityName } from './quantities.js';

export interface Row {
  readonly problem: string;
  readonly batch: number;
  readonly quantity: QuantityName;
  readonly implementation: string;
  readonly medianMs: number;
  readonly minMs: number;
  /** Number of steps that were timed. */
  readonly steps: number;
  /** Median of the gradient alone, in the same rounds. */
  readonly gradientMs: number;
  readonly peakBytes: number;
  readonly threads: number;
}

/** What `--json` writes. */
export interface Results {
  readonly machine: Machine;
  readonly rows: readonly Row[];
}

export interface Machine {
  readonly date: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly platform: string;
  readonly node: string;
}

export function thisMachine(): Machine {
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    platform: `${platform()}-${arch()}`,
    node: process.version,
  };
}
