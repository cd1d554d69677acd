// the tarballs as npm would get them, checked by publint and attw; a platform's package has no types
import { join } from 'node:path';
import { packAll } from './pack.mjs';
import { bin } from './shell.mjs';

const { folder, tarballs } = packAll();
for (const [name, file] of Object.entries(tarballs)) {
  bin('publint', 'run', join(folder, file), '--strict');
  if (!name.startsWith('@gradpack/backend-native-'))
    bin('attw', join(folder, file), '--profile', 'esm-only', '--quiet');
}
console.log(`publint and attw: ${Object.keys(tarballs).length} tarballs are sound`);
