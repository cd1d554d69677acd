import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyProject, type Project, tarballs } from './project.js';

const PLATFORM = '@gradpack/backend-native-linux-x64-gnu';
const LONG = 400_000;
const files = await tarballs();

/** Why there is no addon in the platform's tarball, or undefined. */
const missing = await (async () => {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'another platform';
  const list = execFileSync('tar', ['-tzf', files[PLATFORM]!], { encoding: 'utf8' });
  return list.includes('gradpack.node') ? undefined : 'it was packed without a compiler';
})();

describe.skipIf(missing)(`the native backend in an empty project${missing ? `: ${missing}` : ''}`, () => {
  let plain: Project;
  let packaged: Project;
  beforeAll(async () => {
    plain = await emptyProject();
    await plain.install(files['@gradpack/core']!, files['@gradpack/backend-native']!);
    packaged = await plain.copy();
    await packaged.install(files[PLATFORM]!);
  }, LONG);
  afterAll(() => Promise.all([plain, packaged].map((project) => project?.remove())));

  it('comes compiled with the package of its platform', async () => {
    expect(await packaged.run('native')).toEqual({ available: true, numbers: [1, 2, 3] });
  });

  it('says what was tried and what to do where that package is left out', async () => {
    const { available, error } = (await plain.run('native')) as { available: string; error: string };
    expect(available).toMatch(
      /^no addon at .*backend-native\/build\/Release\/gradpack.node; @gradpack\/backend-native-linux-x64-gnu is not installed$/,
    );
    expect(error).toContain(
      'fix: install @gradpack/backend-native-linux-x64-gnu of the same version (npm leaves it out with --omit=optional), or build it with `npx @gradpack/backend-native build`',
    );
  });

  it('says so where its build has no compiler, a compiler that fails, or no place', async () => {
    expect(await plain.buildAddon({ CXX: 'none' })).toEqual({
      code: 0,
      said: 'native addon: not built, no C++ compiler (tried none); other backends still work\n',
    });
    const refused = await plain.buildAddon({ CXXFLAGS: '--no-such-flag' });
    expect(refused).toMatchObject({ code: 1, said: expect.stringMatching(/^native addon: .* refused it$/m) });
    const placeless = await plain.buildAddon({ GRADPACK_BUILD_DIR: join(plain.folder, 'package.json/build') });
    expect(placeless).toMatchObject({ code: 1, said: expect.stringContaining('Let GRADPACK_BUILD_DIR name a folder') });
  });

  it(
    'is built from the published sources by npx',
    async () => {
      const built = await plain.buildAddon({ CXXFLAGS: '-O0' }); // seconds less, and these numbers need no speed
      expect(built).toMatchObject({
        code: 0,
        said: expect.stringMatching(/^native addon: (\d+) of \1 sources compiled/),
      });
      expect(await plain.run('native')).toEqual({ available: true, numbers: [1, 2, 3] });
    },
    LONG,
  );

  describe('the published addon', () => {
    const addon = (): string => join(packaged.folder, 'node_modules', PLATFORM, 'gradpack.node');
    const tool = (name: string, ...args: string[]): string => {
      const { stdout, error } = spawnSync(name, [...args, addon()], { encoding: 'utf8', maxBuffer: 2 ** 26 });
      if (error) throw error;
      return stdout;
    };

    it('needs the libraries that its README names, and no newer ones', () => {
      const readme = readFileSync(join(packaged.folder, 'node_modules', PLATFORM, 'README.md'), 'utf8');
      for (const library of ['GLIBC', 'GLIBCXX', 'CXXABI']) {
        const stated = new RegExp(`\\| ${library} \\| ([\\d.]+) \\|`).exec(readme)?.[1];
        const needed = [...tool('objdump', '-T').matchAll(new RegExp(`\\b${library}_([\\d.]+)`, 'g'))].map(
          ([, v]) => v!,
        );
        expect(`${library} ${newest(needed)}`).toBe(`${library} ${stated}`);
      }
    });

    it('exports what Node calls and has no symbols, no debug sections and no executable stack', () => {
      const exported = [...tool('objdump', '-T').matchAll(/^[0-9a-f]+ g .*\s(\S+)$/gm)].map(([, name]) => name);
      expect(exported.sort()).toEqual(['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
      expect(tool('objdump', '-t')).toContain('no symbols');
      expect(tool('objdump', '-h')).not.toContain('.debug');
      expect(tool('readelf', '-lW')).toMatch(/GNU_STACK .* RW +0x/);
    });

    it('is as large as its README says', () => {
      const readme = readFileSync(join(packaged.folder, 'node_modules', PLATFORM, 'README.md'), 'utf8');
      const megabytes = readFileSync(addon()).length / 1e6;
      expect(readme).toContain(`Size: ${megabytes.toFixed(1)} MB`);
    });
  });
});

/** The newest of versions like 3.4.22. */
function newest(versions: readonly string[]): string | undefined {
  return versions.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
}
