import { readdirSync, readFileSync } from 'node:fs';
import type { Golden } from './golden.js';

const folder = new URL('../../reference/golden/', import.meta.url);

/** All committed golden cases. */
export function goldens(): readonly Golden[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'index.json');
  return files.map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Golden);
}

/** `{ layer: { quantity: [reductions] } }` of what BackPACK supports. */
export function goldenIndex(): {
  readonly coverage: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
} {
  return JSON.parse(readFileSync(new URL('index.json', folder), 'utf8'));
}
