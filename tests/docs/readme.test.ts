import { expect, it } from 'vitest';
import { examplesOf } from './pages.js';
import { runExamples } from './run-examples.js';

it('the first example of README.md runs and prints what the README says', () => {
  const [first] = examplesOf('README.md');
  expect(first?.[0]?.output).toMatch(/\S/);
  expect(runExamples(first ? [first] : [])).toEqual(first?.map(({ output }) => output));
});
