// Type-checks every ```ts fence of README.md and docs/ against the sources. Each fence is a module of its own;
// ```ts continue goes on with the fence before it, ```ts ignore is left out. A fence keeps its line numbers, so errors
// name the line of the page.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './shell.mjs';

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md') && !/(^|\/)(node_modules|api|dist|\.vitepress)\//.test(path))
    .map((path) => `docs/${path}`),
].filter((path) => existsSync(join(root, path)));

/** The fences of a page: the line before their first, what follows ```ts, and their lines. */
function fencesOf(text) {
  const fences = [];
  let open;
  text.split('\n').forEach((line, i) => {
    const mark = /^(\s*)(`{3,})(.*)$/.exec(line);
    if (open) {
      if (mark && mark[2].length >= open.ticks && mark[3].trim() === '') {
        if (open.isTs) fences.push(open);
        open = undefined;
      } else open.lines.push(line);
    } else if (mark) {
      const [language, ...words] = mark[3]
        .replace(/[{[].*$/, '')
        .trim()
        .split(/[\s:]+/);
      open = {
        at: i + 1,
        ticks: mark[2].length,
        isTs: language === 'ts' || language === 'typescript',
        words,
        lines: [],
      };
    }
  });
  if (open) throw new Error(`a fence opened in line ${open.at} is not closed`);
  return fences;
}

const dir = join(root, '.nx', `fences.${process.pid}`);
mkdirSync(dir, { recursive: true });
const pageOf = new Map();
let count = 0;
for (const page of pages) {
  const modules = [];
  for (const { at, words, lines } of fencesOf(readFileSync(join(root, page), 'utf8'))) {
    if (words.includes('ignore')) continue;
    count++;
    if (!words.includes('continue') || modules.length === 0) modules.push([]);
    const into = modules.at(-1);
    while (into.length < at) into.push('');
    into.push(...lines);
  }
  modules.forEach((lines, i) => {
    const name = `${page.replaceAll('/', '__')}.${i}.ts`;
    pageOf.set(name, page);
    writeFileSync(join(dir, name), `${lines.join('\n')}\nexport {};\n`);
  });
}

const packages = readdirSync(join(root, 'packages')).filter((name) =>
  existsSync(join(root, 'packages', name, 'tsconfig.json')),
);
writeFileSync(
  join(dir, 'tsconfig.json'),
  JSON.stringify({
    extends: '../../tsconfig.base.json',
    compilerOptions: {
      composite: false,
      declaration: false,
      declarationMap: false,
      isolatedDeclarations: false,
      noEmit: true,
      lib: ['es2023', 'esnext.disposable', 'dom', 'dom.iterable'],
      types: ['node', '@webgpu/types'],
      paths: {
        ...Object.fromEntries(packages.map((name) => [`@gradpack/${name}`, [`../../packages/${name}/src/index.ts`]])),
        gradpack: ['../../packages/gradpack/src/index.ts'],
      },
    },
    include: ['*.ts'],
    references: packages.map((name) => ({ path: `../../packages/${name}` })),
  }),
);
const args = ['-p', join(dir, 'tsconfig.json'), '--pretty', 'false'];
const { status, stdout } = count
  ? spawnSync(join(root, 'node_modules/.bin/tsc'), args, { cwd: dir, encoding: 'utf8' })
  : { status: 0, stdout: '' };
rmSync(dir, { recursive: true });
process.stderr.write(stdout.replace(/^\S+?\.md\.\d+\.ts(?=\()/gm, (name) => pageOf.get(name) ?? name));
console.log(`docs fences: ${count} checked in ${pages.length} pages${status === 0 ? '' : ', with errors'}`);
process.exit(status === 0 ? 0 : 1);
