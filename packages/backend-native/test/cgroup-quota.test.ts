import { describe, expect, it } from 'vitest';
import { cgroupQuota } from '../src/cgroup-quota.js';

const quotaIn = (files: Readonly<Record<string, string>>) => cgroupQuota((path) => files[path]);

describe('quota of CPU time', () => {
  it('is that of the group or of a group around it, version 2', () => {
    const files = { '/proc/self/cgroup': '0::/pods/one\n', '/sys/fs/cgroup/pods/one/cpu.max': 'max 100000\n' };
    expect(quotaIn(files)).toBeUndefined();
    expect(quotaIn({ ...files, '/sys/fs/cgroup/pods/cpu.max': '250000 100000\n' })).toBe(2.5);
    expect(quotaIn({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '50000 100000\n' })).toBe(0.5);
  });

  it('is that of the controller cpu, version 1', () => {
    const files = {
      '/proc/self/cgroup': '5:memory:/a\n4:cpu,cpuacct:/docker/x\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    };
    expect(quotaIn({ ...files, '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n' })).toBeUndefined();
    expect(quotaIn({ ...files, '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '400000\n' })).toBe(4);
  });

  it('is none where there are no groups', () => expect(quotaIn({})).toBeUndefined());
});
