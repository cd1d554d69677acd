import { readdirSync, readFileSync } from 'node:fs';

export const root: URL = new URL('../../', import.meta.url);

/** A ```ts fence. */
export interface Fence {
  readonly page: string;
  readonly line: number;
  readonly code: string;
  /** What the ```text fence right behind it says that it prints. */
  readonly output?: string;
}

/** A program as a page shows it: a ```ts fence with those that `continue` it. */
export type Example = readonly Fence[];

const FENCE = /^```(\S*) ?(.*)\n([\s\S]*?)^```$/gm;

/**
 * The examples of a page. Left out are those marked ```ts ignore, and ```ts static: type-checked only, because they need
 * what a test machine may lack.
 */
export function examplesOf(page: string): readonly Example[] {
  const text = textOf(page);
  const examples: Fence[][] = [];
  let end = -1; // of the fence before, if it was an example
  for (const { 0: all, 1: language, 2: words = '', 3: body = '', index } of text.matchAll(FENCE)) {
    const follows = end >= 0 && text.slice(end, index).trim() === '';
    const current = examples.at(-1);
    const last = current?.at(-1);
    if (language === 'text' && follows && last) current?.splice(-1, 1, { ...last, output: body.trimEnd() });
    end = -1;
    if (language !== 'ts' || words.includes('ignore') || words.includes('static')) continue;
    const fence = { page, line: text.slice(0, index).split('\n').length, code: body };
    if (words.includes('continue') && current) current.push(fence);
    else examples.push([fence]);
    end = index + all.length;
  }
  return examples;
}

/** The READMEs and the pages of the docs, as paths from the root. */
export function pages(): readonly string[] {
  const docs = (folder: string): string[] =>
    readdirSync(new URL(folder, root))
      .filter((name) => name.endsWith('.md'))
      .map((name) => folder + name);
  const readmes = readdirSync(new URL('packages/', root)).map((name) => `packages/${name}/README.md`);
  return ['README.md', ...readmes, ...docs('docs/'), ...docs('docs/guide/')];
}

export function textOf(page: string): string {
  return readFileSync(new URL(page, root), 'utf8');
}
