import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';

/** Loads the package anew with GRADPACK_NATIVE set to the path. */
async function withAddon(path: string) {
  vi.resetModules();
  vi.stubEnv('GRADPACK_NATIVE', path);
  return import('../src/index.js');
}

describe('loading the addon', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.resetModules();
  });

  it('says what GRADPACK_NATIVE named where there is nothing', async () => {
    const { isNativeAvailable, native } = await withAddon('nowhere.node');
    expect(isNativeAvailable()).toBe('no addon at nowhere.node');
    await expect(native()).rejects.toThrow(
      [
        'GRADPACK-NO-BACKEND: the native backend is not available here',
        '  where: native',
        '  expected: a compiled addon of this version',
        '  got: no addon at nowhere.node',
        '  fix: let GRADPACK_NATIVE name an addon of this version, or unset it',
      ].join('\n'),
    );
  });

  it('refuses a stale addon, a foreign module and a broken file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gradpack-'));
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const reason = async (path: string) => (await withAddon(path)).isNativeAvailable();
    expect(await reason(file('stale.cjs', 'module.exports = { interfaceVersion: 0 }'))).toMatch(
      /stale.cjs is stale: it has interface 0, this package needs \d+$/,
    );
    expect(await reason(file('foreign.cjs', 'module.exports = {}'))).toMatch(/foreign.cjs is no addon of GradPack$/);
    expect(await reason(file('broken.node', 'no library'))).toMatch(/broken.node does not load: /);
    rmSync(folder, { recursive: true });
  });
});
