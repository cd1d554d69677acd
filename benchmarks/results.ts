import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os';
import { isNativeAvailable, native } from '@gradpack/backend-native';
import type { Implementation } from './implementation.js';
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
  /** Median of the gradient alone, in the same rounds: the implementation's own, for BackPACK and torch.func PyTorch's. */
  readonly gradientMs: number;
  /** Median of PyTorch's gradient alone, in the same rounds; absent where no peer in Python took part. */
  readonly torchGradientMs?: number;
  /** Median of a step with all its results read into typed arrays; only where a peer in JavaScript took part. */
  readonly readMs?: number;
  /** Absent where nobody knows. */
  readonly peakBytes?: number;
  readonly threads: number;
}

/** What `--json` writes. */
export interface Results {
  readonly machine: Machine;
  /** Of the peers, by implementation. */
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
}

export interface Machine {
  readonly date: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly platform: string;
  readonly node: string;
  /** Of the native backend: `avx512`, `avx2` …; absent where there is none. */
  readonly vectors?: string;
}

export async function thisMachine(): Promise<Machine> {
  const vectors = await nativeVectors();
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    platform: `${platform()}-${arch()}`,
    node: process.version,
    ...(vectors !== undefined && { vectors }),
  };
}

async function nativeVectors(): Promise<string | undefined> {
  if (isNativeAvailable() !== true) return undefined;
  const backend = await native();
  await backend.dispose();
  return backend.isa;
}

export async function versionsOf(implementations: readonly Implementation[]): Promise<Results['versions']> {
  const versions = new Map<string, string>();
  for (const { name, version } of implementations) if (version) versions.set(name, await version());
  return Object.fromEntries(versions);
}

/** A row a line, to be read and compared as text. */
export function toJson({ machine, versions, rows }: Results): string {
  const digits = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(5)) : value);
  const lines = rows.map((row) => `  ${JSON.stringify(row, digits)}`);
  return `{\n "machine": ${JSON.stringify(machine)},\n "versions": ${JSON.stringify(versions)},\n "rows": [\n${lines.join(',\n')}\n ]\n}\n`;
}
