// `changeset version` for packages that are all in one fixed group and have core as a peer. Below 1.0 every minor leaves
// a peer range ^0.x, which changesets answers with a major of the dependents, and so of the whole group: 1.0.0. The
// ranges are `workspace:^` and move with the group anyway, so they are put aside meanwhile. core's VERSION follows.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bin, root } from './shell.mjs';

const files = readdirSync(join(root, 'packages')).map((folder) => join(root, 'packages', folder, 'package.json'));
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const write = (file, value) => writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);

const originals = new Map(files.map((file) => [file, read(file)]));
process.on('exit', () => {
  // whatever happened: each package.json as it was, with its new version
  for (const [file, original] of originals) write(file, { ...original, version: read(file).version });
  const constant = join(root, 'packages/core/src/version.ts');
  const { version } = read(join(root, 'packages/core/package.json'));
  const text = readFileSync(constant, 'utf8');
  writeFileSync(constant, text.replace(/(export const VERSION[^=]*= )'[^']*'/, `$1'${version}'`));
});
for (const [file, { peerDependencies, ...rest }] of originals) write(file, rest);
bin('changeset', 'version');
