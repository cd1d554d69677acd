// A dry `changeset status` and `changeset version` on a copy: the changesets name real packages, all published packages
// get one version, it is the step that the changesets ask for, and core's VERSION says the same.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { root } from './shell.mjs';

const copy = mkdtempSync(join(tmpdir(), 'gradpack-release-'));
process.on('exit', () => rmSync(copy, { recursive: true, force: true }));

const folders = readdirSync(join(root, 'packages'));
const wanted = [
  'package.json',
  'pnpm-workspace.yaml',
  'pnpm-lock.yaml',
  '.changeset',
  'scripts',
  ...['benchmarks', 'docs', 'examples', 'tests'].map((folder) => `${folder}/package.json`),
  ...folders.map((folder) => `packages/${folder}/package.json`),
  'packages/core/src/version.ts',
];
for (const path of wanted) {
  mkdirSync(dirname(join(copy, path)), { recursive: true });
  cpSync(join(root, path), join(copy, path), { recursive: true });
}
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));

const run = (command, ...args) => {
  try {
    return execFileSync(command, args, { cwd: copy, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (e) {
    console.error(`${e.stdout ?? ''}${e.stderr ?? ''}`);
    console.error(`release: ${command} ${args.join(' ')} failed`);
    process.exit(1);
  }
};
const git = (...args) => run('git', '-c', 'user.name=check', '-c', 'user.email=check@localhost', ...args);
git('init', '-q', '-b', 'main');
git('add', '.changeset', 'packages', 'package.json', 'pnpm-workspace.yaml');
git('commit', '-q', '-m', 'copy');

const packageOf = (at, folder) => JSON.parse(readFileSync(join(at, 'packages', folder, 'package.json'), 'utf8'));
const changesets = readdirSync(join(copy, '.changeset')).filter((f) => f.endsWith('.md') && f !== 'README.md');
const texts = changesets.map((file) => readFileSync(join(copy, '.changeset', file), 'utf8'));
const step = ['major', 'minor', 'patch'].find((name) =>
  texts.some((text) => new RegExp(`^["'].*: ${name}$`, 'm').test(text)),
);

run(join(copy, 'node_modules/.bin/changeset'), 'status');
run(process.execPath, join(copy, 'scripts/version.mjs'));

const [major, minor, patch] = packageOf(root, 'core').version.split('.').map(Number);
const expected =
  {
    major: `${major + 1}.0.0`,
    minor: `${major}.${minor + 1}.0`,
    patch: `${major}.${minor}.${patch + 1}`,
  }[step] ?? `${major}.${minor}.${patch}`;
const wrong = folders.map((folder) => packageOf(copy, folder)).filter(({ version }) => version !== expected);
const constant = /VERSION[^=]*= '([^']*)'/.exec(readFileSync(join(copy, 'packages/core/src/version.ts'), 'utf8'))?.[1];

for (const { name, version } of wrong) console.error(`release: ${name} would become ${version}, expected ${expected}`);
if (constant !== expected) console.error(`release: core's VERSION would be ${constant}, expected ${expected}`);
console.log(`release: ${changesets.length} changesets make ${expected} of ${packageOf(root, 'core').version}`);
process.exit(wrong.length || constant !== expected ? 1 : 0);
