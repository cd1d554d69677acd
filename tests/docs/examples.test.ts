import { describe, expect, it } from 'vitest';
import { type Example, examplesOf, pages } from './pages.js';
import { runExamples } from './run-examples.js';

const isReadme = (page: string): boolean => page.startsWith('packages/');
const examplesIn = (some: readonly string[]): readonly Example[] => some.flatMap(examplesOf);

// README.md has a test of its own; one process for all packages' READMEs, which are short
const runs = [
  { what: 'the READMEs of the packages', examples: examplesIn(pages().filter(isReadme)) },
  ...pages()
    .filter((page) => page !== 'README.md' && !isReadme(page))
    .map((page) => ({ what: page, examples: examplesIn([page]) })),
].filter(({ examples }) => examples.length > 0);

describe.each(runs)('$what', ({ examples }) => {
  it('run as they stand and print what they say', () => {
    const printed = runExamples(examples);
    for (const [i, { page, line, output }] of examples.flat().entries())
      if (output !== undefined) expect(printed[i], `${page}:${line}`).toBe(output);
  });
});
