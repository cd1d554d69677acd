// Packs every published package into .nx/pack, building what is stale; tarballs.json there maps a package's name to its
// file. Used by check-pack.mjs and by the packaging tests; a call costs nothing while no source changed.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bin, root } from './shell.mjs';

const pack = join(root, '.nx/pack');
const folders = readdirSync(join(root, 'packages')).sort();

/** Everything that decides what is in the tarballs. */
function inputKey() {
  const hash = createHash('sha256');
  const add = (path) => {
    const at = join(root, path);
    if (!existsSync(at)) return;
    if (statSync(at).isDirectory()) for (const name of readdirSync(at).sort()) add(`${path}/${name}`);
    else hash.update(path).update('\0').update(readFileSync(at));
  };
  hash.update(process.env.CXX ?? ''); // without a compiler there is no addon
  for (const path of [
    'pnpm-workspace.yaml',
    'tsconfig.base.json',
    'tsup.base.ts',
    'types',
    'scripts/platform-addon.mjs',
    'LICENSE',
  ])
    add(path);
  for (const folder of folders)
    for (const part of ['package.json', 'tsconfig.json', 'tsup.config.ts', 'src', 'bin', 'README.md', 'CHANGELOG.md'])
      add(`packages/${folder}/${part}`);
  return hash.digest('hex');
}

/** tsc leaves the d.ts of deleted and renamed sources behind. */
function pruneDeclarations() {
  for (const folder of folders) {
    const dist = join(root, 'packages', folder, 'dist');
    if (!existsSync(dist)) continue; // a platform's package has the addon alone
    for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
      const source = file.replace(/\.d\.ts(\.map)?$/, '.ts');
      if (source !== file && !existsSync(join(root, 'packages', folder, 'src', source))) rmSync(join(dist, file));
    }
  }
}

/** Packs where needed and returns the folder of the tarballs and their names by package. */
export function packAll() {
  const key = inputKey();
  const list = join(pack, 'tarballs.json');
  const read = () => JSON.parse(readFileSync(list, 'utf8'));
  if (existsSync(list) && read().key === key) return { folder: pack, ...read() };

  bin('nx', 'run-many', '--output-style=static', '-t', 'build');
  bin('tsc', '-b');
  pruneDeclarations();
  const part = `${pack}.${process.pid}`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  bin('pnpm', '--silent', '-r', '--filter', './packages/*', 'pack', '--pack-destination', part);
  const tarballs = Object.fromEntries(
    folders.map((folder) => {
      const { name, version } = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'));
      return [name, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`];
    }),
  );
  for (const file of Object.values(tarballs))
    if (!existsSync(join(part, file))) throw new Error(`pack: ${file} was not made`);
  writeFileSync(join(part, 'tarballs.json'), JSON.stringify({ key, tarballs }, null, 2));
  rmSync(pack, { recursive: true, force: true });
  renameSync(part, pack);
  return { folder: pack, key, tarballs };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { tarballs } = packAll();
  console.log(`tarballs: ${Object.keys(tarballs).length} packages in .nx/pack`);
}
