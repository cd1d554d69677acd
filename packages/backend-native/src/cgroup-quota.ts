import { readFileSync } from 'node:fs';

/**
 * Cores that a container may use by its quota of CPU time, or undefined where there is none: `docker run --cpus`, limits of Kubernetes.
 * os.availableParallelism() of Node 20 only knows affinity. `read` gives the text of a file or undefined.
 */
export function cgroupQuota(read: (path: string) => string | undefined = textOf): number | undefined {
  const own = read('/proc/self/cgroup')?.split('\n') ?? [];
  const quotas = own.flatMap((line) => {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    // version 2 has one hierarchy and names no controllers
    if (controllers === '') return levelsOf(path).map((level) => quotaOf(read(`/sys/fs/cgroup${level}/cpu.max`)));
    if (!controllers.split(',').includes('cpu')) return [];
    return levelsOf(path).map((level) => {
      const folder = `/sys/fs/cgroup/${controllers}${level}`;
      return quotaOf(`${read(`${folder}/cpu.cfs_quota_us`)} ${read(`${folder}/cpu.cfs_period_us`)}`);
    });
  });
  const known = quotas.filter((quota) => quota !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}

/** `/a/b`, `/a` and the root: each may have a quota. A container often sees its own group as the root. */
function levelsOf(path: string): readonly string[] {
  const names = path.split('/').filter(Boolean);
  return [...names.keys()].map((i) => `/${names.slice(0, i + 1).join('/')}`).concat('');
}

/** `200000 100000` is 2 cores; `max 100000` and `-1 100000` are no quota. */
function quotaOf(text: string | undefined): number | undefined {
  const [quota = Number.NaN, period = Number.NaN] = (text ?? '').trim().split(/\s+/).map(Number);
  return quota > 0 && period > 0 ? quota / period : undefined;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
