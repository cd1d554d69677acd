// Compiles the addon once with AddressSanitizer and UndefinedBehaviorSanitizer and once with ThreadSanitizer, each into a folder of its
// own (the latter with the integers of macOS), and runs the suites that load it. A finding ends the process that has it, which fails
// the run. Needs g++ and its runtimes on Linux x64; says so and succeeds where they are missing, unless GRADPACK_NO_SKIPS=1.
//
//   GRADPACK_FUZZ_CASES  how many random programs a setting gets; tests/fuzz has the default
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { env, root } from './shell.mjs';

const compiler = process.env.CXX || 'g++';
const build = join(root, 'packages/backend-native/build');
const longLong = join(root, 'packages/backend-native/test/long-long.h');

const SANITIZERS = [
  {
    name: 'address',
    flags:
      '-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -DGRADPACK_NEON_TILES',
    runtimes: ['libasan.so', 'libubsan.so', 'libstdc++.so'],
    options: {
      // fresh memory is NaN, so that what is read before it is written shows; nothing may ask for more than 2 GB
      ASAN_OPTIONS:
        'detect_leaks=0:malloc_fill_byte=255:max_malloc_fill_size=1000000000:max_allocation_size_mb=2048:allocator_may_return_null=1',
      UBSAN_OPTIONS: 'print_stacktrace=1',
    },
    /** The instruction sets beside the machine's own, on random programs. */
    more: ['avx2', 'portable', 'neon'],
  },
  {
    name: 'thread',
    flags: `-O1 -g -fsanitize=thread -include ${longLong}`,
    runtimes: ['libtsan.so'],
    // V8, Node and rolldown are not instrumented
    options: {
      TSAN_OPTIONS: 'halt_on_error=1:exitcode=66:ignore_noninstrumented_modules=1:allocator_may_return_null=1',
    },
    more: [],
  },
];

function missing(runtimes) {
  if (process.platform !== 'linux' || process.arch !== 'x64') return `${process.platform}-${process.arch}`;
  for (const runtime of runtimes) {
    const { stdout, error } = spawnSync(compiler, [`-print-file-name=${runtime}`], { encoding: 'utf8' });
    if (error) return `no ${compiler}`;
    if (!isAbsolute(stdout.trim()) || !existsSync(stdout.trim())) return `${compiler} has no ${runtime}`;
  }
  return undefined;
}

const failed = [];
const step = (name, command, args, variables) => {
  const start = Date.now();
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...env, ...variables } });
  console.log(`── ${name}: ${((Date.now() - start) / 1000).toFixed(0)} s${status === 0 ? '' : ', FAILED'} ──`);
  if (status !== 0) failed.push(name);
  return status === 0;
};

for (const { name, flags, runtimes, options, more } of SANITIZERS) {
  const why = missing(runtimes);
  if (why !== undefined) {
    console.log(`skipped: ${name} sanitizer: ${why}`);
    if (process.env.GRADPACK_NO_SKIPS === '1') failed.push(name);
    continue;
  }
  const folder = join(build, name);
  const compiled = step(`${name}: build`, process.execPath, ['packages/backend-native/bin/build.mjs'], {
    CXX: compiler,
    CXXFLAGS: flags,
    GRADPACK_BUILD_DIR: folder,
  });
  if (!compiled) continue;
  const pool = join(folder, 'thread-pool-stress');
  const sources = ['test/thread-pool-stress.cc', 'src/addon/threads/thread-pool.cc', 'src/addon/failure.cc'];
  const args = ['-std=c++17', '-pthread', ...flags.split(' '), ...sources, '-o', pool];
  execFileSync(compiler, args, { cwd: dirname(build), stdio: 'inherit' });
  step(`${name}: thread pool`, pool, [], options);
  const preload = runtimes.map((file) =>
    execFileSync(compiler, [`-print-file-name=${file}`], { encoding: 'utf8' }).trim(),
  );
  const suites = (title, isa, ...filter) =>
    step(
      `${name}: ${title}`,
      process.execPath,
      ['node_modules/vitest/vitest.mjs', 'run', '-c', 'vitest.sanitize.config.ts', ...filter],
      {
        ...options,
        ...isa,
        GRADPACK_PRELOAD: preload.join(' '),
        GRADPACK_NATIVE: join(folder, 'Release/gradpack.node'),
      },
    );
  suites('suites', {});
  for (const isa of more) suites(`fuzz with GRADPACK_ISA=${isa}`, { GRADPACK_ISA: isa }, 'tests/fuzz');
}

if (failed.length > 0) {
  console.error(`sanitizers: failed: ${failed.join('; ')}`);
  process.exit(1);
}
