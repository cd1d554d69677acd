/** What the runtime tells of itself; every part may be missing. */
interface Host {
  readonly process?: {
    readonly env?: Readonly<Record<string, string | undefined>>;
    getBuiltinModule?(name: 'node:os'): { totalmem(): number } | undefined;
    constrainedMemory?(): number;
  };
  readonly navigator?: { readonly deviceMemory?: number };
}

const host = globalThis as Host;
const GIB = 2 ** 30;

/** Bytes of memory: of the machine or its container in Node, as far as the browser says, else 4 GiB. */
export function physicalMemory(): number {
  const total = host.process?.getBuiltinModule?.('node:os')?.totalmem() ?? (host.navigator?.deviceMemory ?? 4) * GIB;
  // 0 or an absurd figure says that there is no limit
  const container = host.process?.constrainedMemory?.() ?? 0;
  return container > 0 ? Math.min(total, container) : total;
}

export function environment(name: string): string | undefined {
  return host.process?.env?.[name];
}
