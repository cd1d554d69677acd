import { ERROR_CODES } from '@gradpack/core';
import { expect, it } from 'vitest';
import { textOf } from './pages.js';

it('guide/errors.md has one entry for every code, in the order of ERROR_CODES', () => {
  const entries = [...textOf('docs/guide/errors.md').matchAll(/^### (GRADPACK-\S+)$/gm)].map(([, code]) => code);
  expect(entries).toEqual(Object.keys(ERROR_CODES));
});
