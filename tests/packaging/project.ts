import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../../', import.meta.url));
const packed = join(root, '.nx/pack');
const tsc = join(root, 'node_modules/typescript/bin/tsc');
const execute = promisify(execFile);
interface Esbuild {
  build(options: object): Promise<{ readonly outputFiles: readonly { readonly text: string }[] }>;
}
/** tsup's own. */
const esbuild = createRequire(createRequire(join(root, 'package.json')).resolve('tsup'))('esbuild') as Esbuild;
const windows = process.platform === 'win32';

/** Runs a program and gives what it wrote; where it fails, all of that is the error. */
async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    return (await execute(program, args, { cwd, shell: windows && program === 'npm' })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout?: string; readonly stderr?: string };
    throw new Error(`${basename(program)} ${args.join(' ')}\n${stdout ?? ''}${stderr ?? error}`);
  }
}

/** The tarball of each package, by `node scripts/pack.mjs`. */
export async function tarballs(): Promise<Readonly<Record<string, string>>> {
  const list = JSON.parse(await readFile(join(packed, 'tarballs.json'), 'utf8')) as {
    readonly tarballs: Readonly<Record<string, string>>;
  };
  return Object.fromEntries(Object.entries(list.tarballs).map(([name, file]) => [name, join(packed, file)]));
}

/** A project of somebody's own, outside the workspace. */
export interface Project {
  readonly folder: string;
  install(...tarballs: readonly string[]): Promise<void>;
  /** Compiles an app of `apps/` with every d.ts checked, runs it with node and gives what it printed as JSON. */
  run(app: string): Promise<unknown>;
  /** Packs a folder of TypeScript, compiled against what is installed here: the tarball. */
  build(source: string): Promise<string>;
  /** What a bundler makes of an app of `apps/`. */
  bundle(app: string, options: { readonly minify: boolean }): Promise<string>;
  /** Runs `npx @gradpack/backend-native build`. */
  buildAddon(variables: Readonly<Record<string, string>>): Promise<{ readonly code: number; readonly said: string }>;
  copy(): Promise<Project>;
  remove(): Promise<void>;
}

export async function emptyProject(from?: string): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), 'gradpack-app-'));
  if (from) await cp(from, folder, { recursive: true, verbatimSymlinks: true });
  else await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  const compilerOptions = {
    target: 'es2022',
    module: 'nodenext',
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
  };
  return {
    folder,
    async install(...files) {
      const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
      await run('npm', ['install', ...flags, ...files], folder);
    },
    async run(app) {
      const source = join(folder, `${app}.mts`);
      await copyFile(fileURLToPath(new URL(`apps/${app}.mts`, import.meta.url)), source);
      const config = join(folder, `tsconfig.${app}.json`);
      await writeFile(config, JSON.stringify({ compilerOptions, files: [source] }));
      await run(process.execPath, [tsc, '-p', config], folder);
      return JSON.parse(await run(process.execPath, [`${app}.mjs`], folder));
    },
    async build(source) {
      const at = join(folder, 'vendor', basename(source));
      await mkdir(at, { recursive: true });
      await cp(source, at, { recursive: true });
      await run(process.execPath, [tsc, '-p', at], at);
      const [made] = JSON.parse(await run('npm', ['pack', '--json', '--loglevel=error'], at)) as { filename: string }[];
      return join(at, made?.filename ?? '');
    },
    async bundle(app, { minify }) {
      const source = join(folder, `${app}.mts`);
      await copyFile(fileURLToPath(new URL(`apps/${app}.mts`, import.meta.url)), source);
      const options = { bundle: true, write: false, format: 'esm', platform: 'browser', target: 'es2022', minify };
      const { outputFiles } = await esbuild.build({ entryPoints: [source], ...options });
      return outputFiles[0]?.text ?? '';
    },
    async buildAddon(variables) {
      const env = { ...process.env, npm_config_loglevel: 'error', ...variables };
      const options = { cwd: folder, env, shell: windows };
      return execute('npx', ['--no', '@gradpack/backend-native', 'build'], options).then(
        ({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }),
        (error) => ({ code: error.code as number, said: `${error.stdout}${error.stderr}` }),
      );
    },
    copy: () => emptyProject(folder),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Puts a second copy of core, of another version, beneath an installed package, as npm does where versions disagree. */
export async function bringOwnCore({ folder }: Project, name: string, version: string): Promise<void> {
  const core = join(folder, 'node_modules/@gradpack/core');
  const copy = join(folder, 'node_modules', name, 'node_modules/@gradpack/core');
  await cp(core, copy, { recursive: true });
  for (const file of ['package.json', 'dist/index.js']) {
    const text = await readFile(join(copy, file), 'utf8');
    const changed = text.replace(/(version"?: "|VERSION = ")[^"]+/, `$1${version}`);
    if (changed === text) throw new Error(`${file} names no version`);
    await writeFile(join(copy, file), changed);
  }
}
