// Every command of the repository, `npm start` and `npm test` first: on a machine with only Node and npm it brings what is
// missing, then runs. Doing it again is incremental.

import { bin, env, install, node, run, runAll } from './shell.mjs';
import { softwareGpu } from './software-gpu.mjs';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Node >= 20.19 is needed; this is ${process.version}`);
  process.exit(1);
}

const native = () => node('packages/backend-native/bin/build.mjs');
const tsx = (script, args) => bin('tsx', '--conditions=@gradpack/source', script, ...args);
const build = (...targets) => bin('nx', 'run-many', '--output-style=static', '-t', ...targets);
/** Times what users install: on sources tsx keeps the names of functions, which takes 30 µs of a step. */
const timed = (script, args) => {
  native();
  build('build');
  bin('tsx', script, ...args);
};
const types = () => {
  bin('tsc', '-b');
  bin('tsc', '-p', 'tsconfig.test.json');
};

const commands = {
  start(args) {
    native();
    // a real GPU wins over the software one where the user says so
    if (args.some((arg) => arg.includes('webgpu')) && env.GRADPACK_GPU !== 'system') Object.assign(env, softwareGpu());
    tsx('examples/digits/main.ts', args);
  },
  test(args) {
    native();
    types();
    node('scripts/pack.mjs');
    Object.assign(env, softwareGpu());
    bin('vitest', 'run', '--reporter=default', '--reporter=./scripts/tally-reporter.mjs', ...args);
  },
  'test:sanitize'() {
    node('scripts/sanitize.mjs');
  },
  check() {
    runAll([
      ['biome', 'check', '--error-on-warnings', '.'],
      ['scripts/boundaries.mjs'],
      ['knip', '--no-progress', '--no-config-hints'],
      ['tsc', '-b'],
      ['scripts/docs-fences.mjs'],
      ['scripts/check-pack.mjs'],
      ['scripts/check-release.mjs'],
    ]);
  },
  build() {
    build('build', 'build:native');
    types();
  },
  docs() {
    bin('tsc', '-b'); // typedoc reads the d.ts of referenced packages
    bin('nx', 'run', '--output-style=static', '@gradpack/docs:docs');
  },
  bench(args) {
    timed('benchmarks/run.ts', args);
  },
  'bench:peers'() {
    node('benchmarks/peers/install.mjs');
  },
  'bench:products'() {
    native();
    node('benchmarks/products.mjs');
  },
  profile(args) {
    timed('benchmarks/profile.ts', args);
  },
  fix() {
    bin('biome', 'check', '--write', '.');
  },
  version() {
    node('scripts/version.mjs');
  },
  'goldens:check'() {
    run(env.PYTHON ?? 'python3', 'reference/generate.py', '--check');
  },
};

const [name = '', ...args] = process.argv.slice(2);
if (name === 'setup') {
  install('--no-frozen-lockfile'); // after a change of dependencies: writes pnpm-lock.yaml
  native();
} else if (Object.hasOwn(commands, name)) {
  install();
  commands[name](args);
} else {
  console.error(`unknown command ${name}; there are: setup, ${Object.keys(commands).join(', ')}`);
  process.exit(1);
}
