import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Example, root } from './pages.js';

const END = '— end of a fence —';
const SAY_END = `console.log(${JSON.stringify(END)});\n`;

/** Runs examples on the sources, in a process of their own, and gives what each fence prints, in order. */
export function runExamples(examples: readonly Example[]): readonly string[] {
  const folder = new URL(`.nx/examples.${process.pid}/`, root);
  const path = (name: string): string => fileURLToPath(new URL(name, folder));
  mkdirSync(folder, { recursive: true });
  try {
    const paths = { gradpack: ['../../packages/gradpack/src'], '@gradpack/*': ['../../packages/*/src'] };
    const config = { extends: '../../tsconfig.base.json', compilerOptions: { paths } };
    writeFileSync(path('tsconfig.json'), JSON.stringify(config));
    const imports = examples.map((fences, i) => {
      writeFileSync(path(`${i}.ts`), `${fences.map(({ code }) => code + SAY_END).join('')}export {};\n`);
      return `await import('./${i}.js');\n`;
    });
    writeFileSync(path('all.ts'), `${imports.join('')}export {};\n`);
    const args = ['--conditions=@gradpack/source', '--tsconfig', path('tsconfig.json'), path('all.ts')];
    const tsx = fileURLToPath(new URL('node_modules/.bin/tsx', root));
    const { status, stdout, stderr } = spawnSync(tsx, args, { encoding: 'utf8' });
    const printed = stdout.split(`${END}\n`);
    if (status !== 0) {
      const failed = examples.flat()[printed.length - 1];
      throw new Error(`${failed?.page}:${failed?.line} failed:\n${stderr}`);
    }
    return printed.slice(0, -1).map((text) => text.trimEnd());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
