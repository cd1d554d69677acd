// The compiled addon in the folder of a platform's package, while that is packed and no longer: in a checkout the loader would take it
// for an addon of these sources. Called by the package's own scripts, in its folder.
//   required  fails where this machine cannot build it, so that nothing hollow is published
//   put       builds and puts it there, without symbols; where there is no compiler the tarball stays without
//   remove    takes it away
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root } from './shell.mjs';

const native = join(root, 'packages/backend-native');
const built = join(native, 'build/Release/gradpack.node');
const target = join(process.cwd(), 'gradpack.node');

/** Whether the addon that is built here is the one of the package in this folder. */
function isOurs() {
  const { glibcVersionRuntime } = process.report.getReport().header;
  const here = `${process.platform}-${process.arch}${glibcVersionRuntime ? '-gnu' : ''}`;
  return basename(process.cwd()) === `backend-native-${here}`;
}

function build() {
  if (!isOurs()) return false;
  const env = { ...process.env, GRADPACK_BUILD_DIR: '' };
  execFileSync(process.execPath, [join(native, 'bin/build.mjs')], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  return existsSync(built);
}

const verb = process.argv[2];
rmSync(target, { force: true });
if (verb !== 'remove') {
  if (build()) {
    if (verb === 'put') execFileSync('strip', ['--strip-all', '-o', target, built]);
  } else {
    console.error(`${basename(process.cwd())}: no addon, this machine cannot build it`);
    if (verb === 'required') process.exit(1);
  }
}
