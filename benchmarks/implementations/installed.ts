import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that `npm run bench:peers` fills: nobody else has to download hundreds of megabytes. */
const PEERS = new URL('../peers/', import.meta.url);

const require = createRequire(new URL('package.json', PEERS));

export const PYTHON: string = fileURLToPath(
  new URL(process.platform === 'win32' ? '.venv/Scripts/python.exe' : '.venv/bin/python', PEERS),
);

/** Why a peer cannot run, as part of an implementation. */
export function missing(path: string): { readonly missing?: string } {
  return existsSync(path) ? {} : { missing: 'npm run bench:peers installs it' };
}

/** Where a JavaScript peer is, installed or not. */
export const packageFolder = (name: string): string => fileURLToPath(new URL(`node_modules/${name}`, PEERS));

export async function packageVersion(name: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(packageFolder(name), 'package.json'), 'utf8'));
  return version;
}

/** Its CommonJS build; the types are the caller's, since type checks must do without the package. */
export const load = <T>(name: string): T => require(name) as T;
