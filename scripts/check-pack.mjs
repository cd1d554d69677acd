// the tarballs as npm would get them, checked by publint and attw
import { join } from 'node:path';
import { packAll } from './pack.mjs';
import { bin } from './shell.mjs';

const { folder, tarballs } = packAll();
for (const file of Object.values(tarballs)) {
  bin('publint', 'run', join(folder, file), '--strict');
  bin('attw', join(folder, file), '--profile', 'esm-only', '--quiet');
}
console.log(`publint and attw: ${Object.keys(tarballs).length} tarballs are sound`);
