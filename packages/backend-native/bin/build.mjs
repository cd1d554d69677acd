#!/usr/bin/env node
// Compiles the Node-API addon of this package with a plain C++ compiler: `npx @gradpack/backend-native build` where the
// package is installed, and every `npm start` and `npm test` of its repository. The headers are npm `node-api-headers`, so
// neither node-gyp nor Python nor Node's own headers are needed. A source is compiled again only when it, a header that
// it includes, the flags or the compiler changed. Without a compiler it deletes an addon of earlier times (its sources may have changed
// since), prints one line and succeeds: the native backend is optional.
//
//   CXX                 the compiler; `none` means that there is none. Without it: g++, clang++, c++
//   CXXFLAGS, LDFLAGS   further flags of every call, such as -fsanitize=address, and of the last one, such as -s
//   GRADPACK_BUILD_DIR  where objects and Release/gradpack.node go, instead of build/ of this package
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = resolve(process.env.GRADPACK_BUILD_DIR || join(root, 'build'));
const addon = join(folder, 'Release/gradpack.node');
const objects = join(folder, 'obj');
/** What Node calls; all else, templates of std too, stays inside. */
const exports = join(root, 'src/addon/exports.map');

const FLAGS = [
  '-std=c++17',
  '-O3',
  '-Wall',
  '-Wextra',
  '-Wpedantic',
  '-fno-math-errno',
  '-fvisibility=hidden',
  '-fvisibility-inlines-hidden',
  '-DNDEBUG',
  '-DNAPI_VERSION=8',
  '-fPIC',
  '-pthread',
  ...['-include', join(root, 'src/addon/old-symbols.h')],
];
/** One instruction set a file, by the compiler's machine. On others these files are compiled without the flags and must then be empty. */
const ISA_FLAGS = {
  x86_64: {
    '.avx2.cc': ['-mavx2', '-mfma'],
    '.avx512.cc': ['-mavx512f', '-mavx512dq', '-mavx512vl', '-mavx2', '-mfma'],
  },
};
// nodelete: threads of the pool outlive the environment that loaded the addon
const LINK = {
  darwin: ['-bundle', '-undefined', 'dynamic_lookup', '-pthread'],
  linux: ['-shared', '-fPIC', '-pthread', '-Wl,-z,noexecstack', '-Wl,-z,nodelete', `-Wl,--version-script=${exports}`],
};

const words = (text) => (text ?? '').split(/\s+/).filter(Boolean);
const digest = (...parts) => createHash('sha256').update(JSON.stringify(parts)).digest('hex');
/** The sources of this package that a compilation read, from the rule that the compiler writes by -MMD. */
function readSources(rule) {
  const files = rule.slice(rule.indexOf(': ') + 2).match(/(?:\\ |[^\s\\])+/g) ?? [];
  return files.map((file) => file.replaceAll('\\ ', ' ')).filter((file) => file.startsWith(root));
}
const textOf = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);

/** Makes the folders and tries to write there: packages may be installed where the user may not write. */
function makeFolders() {
  try {
    for (const made of [objects, dirname(addon)]) {
      mkdirSync(made, { recursive: true });
      const probe = join(made, `.${process.pid}`);
      writeFileSync(probe, '');
      rmSync(probe);
    }
  } catch (error) {
    console.error(`native addon: ${folder} cannot be written: ${error.message}`);
    console.error('Let GRADPACK_BUILD_DIR name a folder of yours, build again, and let GRADPACK_NATIVE name');
    console.error('Release/gradpack.node in it whenever you use the backend.');
    process.exit(1);
  }
}

function findCompiler() {
  const tried = process.env.CXX ? [process.env.CXX] : ['g++', 'clang++', 'c++'];
  for (const [command, ...args] of tried.map(words)) {
    if (command === undefined || command === 'none' || LINK[process.platform] === undefined) continue;
    const { status, stdout } = spawnSync(command, [...args, '--version'], { encoding: 'utf8' });
    if (status !== 0) continue;
    const machine = spawnSync(command, [...args, '-dumpmachine'], { encoding: 'utf8' }).stdout.trim();
    return { command, args, version: stdout.split('\n')[0], machine, tried };
  }
  return { tried };
}

function isaFlags(machine, source) {
  const table = ISA_FLAGS[machine.split('-')[0]] ?? {};
  return Object.entries(table).find(([suffix]) => source.endsWith(suffix))?.[1] ?? [];
}

/** Runs one compiler call; its messages come out in one piece although several run at a time. */
function call(compiler, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(compiler.command, [...compiler.args, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    const hear = (chunk) => {
      said += chunk;
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('error', reject);
    child.on('close', (status) => {
      if (said) process.stderr.write(said);
      resolve(status === 0);
    });
  });
}

/** Compiles what changed, then links; returns how many files were compiled, or undefined where the compiler refused. */
async function build(compiler, sources) {
  const { include_dir } = createRequire(import.meta.url)('node-api-headers');
  const flags = [...FLAGS, ...words(process.env.CXXFLAGS)];
  const surroundings = digest(compiler.command, compiler.args, compiler.version, flags);
  const jobs = sources.map((source) => {
    const own = isaFlags(compiler.machine, source);
    const object = join(objects, `${relative(join(root, 'src/addon'), source).split(sep).join('__')}.o`);
    const read = () => readSources(textOf(`${object}.d`) ?? ''); // of the compilation before
    const key = () => digest(surroundings, own, read().map(textOf));
    return { source, own, object, read, key };
  });
  const kept = new Set(jobs.flatMap(({ object }) => ['', '.key', '.d'].map((end) => basename(object) + end)));
  for (const name of readdirSync(objects))
    if (/\.cc\.o(\.key|\.d)?$/.test(name) && !kept.has(name)) rmSync(join(objects, name));

  const changed = jobs.filter(({ object, key }) => !existsSync(object) || textOf(`${object}.key`) !== key());
  const queue = [...changed];
  let sound = true;
  const worker = async () => {
    for (let job = queue.shift(); job !== undefined && sound; job = queue.shift()) {
      const part = `${job.object}.${process.pid}`;
      const start = Date.now();
      rmSync(`${job.object}.key`, { force: true });
      const ok = await call(compiler, [
        ...[...flags, ...job.own, '-I', include_dir, '-c', job.source],
        ...['-o', part, '-MMD', '-MF', `${part}.d`],
      ]);
      if (ok) {
        renameSync(part, job.object);
        renameSync(`${part}.d`, `${job.object}.d`);
        const edited = job.read().some((file) => statSync(file).mtimeMs >= start); // meanwhile: compile it again next time
        if (!edited) writeFileSync(`${job.object}.key`, job.key());
      } else {
        sound = false;
        for (const file of [part, `${part}.d`]) rmSync(file, { force: true });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker));
  if (!sound) return undefined;

  const key = digest(
    LINK,
    process.env.LDFLAGS,
    textOf(exports),
    jobs.map((job) => [job.object, job.key()]),
  );
  if (existsSync(addon) && textOf(`${addon}.key`) === key) return 0;
  const part = `${addon}.${process.pid}`;
  const flagged = [...words(process.env.CXXFLAGS), ...words(process.env.LDFLAGS)];
  const link = [...flagged, ...jobs.map(({ object }) => object), ...LINK[process.platform]];
  if (!(await call(compiler, [...link, '-o', part]))) return undefined;
  renameSync(part, addon); // never overwrite a library that another process has mapped
  writeFileSync(`${addon}.key`, key);
  return changed.length;
}

const [verb, ...more] = process.argv.slice(2);
if ((verb !== undefined && verb !== 'build') || more.length > 0) {
  console.error('usage: gradpack-native-build [build]');
  process.exit(2);
}
const compiler = findCompiler();
if (compiler.command === undefined) {
  rmSync(addon, { force: true });
  rmSync(`${addon}.key`, { force: true });
  console.log(
    `native addon: not built, no C++ compiler (tried ${compiler.tried.join(', ')}); other backends still work`,
  );
} else {
  const files = readdirSync(join(root, 'src/addon'), { recursive: true, encoding: 'utf8' }).sort();
  const sources = files.filter((file) => file.endsWith('.cc')).map((file) => join(root, 'src/addon', file));
  const start = Date.now();
  makeFolders();
  const compiled = await build(compiler, sources);
  if (compiled === undefined) {
    console.error(`native addon: ${compiler.version} refused it`);
    process.exit(1);
  }
  const seconds = ((Date.now() - start) / 1000).toFixed(1);
  const done = compiled ? `${compiled} of ${sources.length} sources compiled in ${seconds} s` : 'up to date';
  console.log(`native addon: ${done} (${compiler.version})`);
}
