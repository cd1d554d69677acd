// Runs the repository's tools from its root; what fails ends the process with the tool's exit code.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const tools = join(root, 'node_modules/.bin');

/** Of every tool started from here. nx and changesets look for pnpm on the PATH; the log level quiets npm's own notices. */
export const env = {
  ...process.env,
  PATH: [tools, process.env.PATH].join(delimiter),
  NX_TUI: 'false',
  npm_config_loglevel: 'error',
};

/** Runs a command and returns its exit code. */
function exitCode(command, args) {
  const { error, status } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env,
    shell: process.platform === 'win32',
  });
  if (error) throw error;
  return status ?? 1;
}

export function run(command, ...args) {
  const code = exitCode(command, args);
  if (code !== 0) process.exit(code);
}

const binary = (name) => join(tools, name);

/** A tool of node_modules/.bin. */
export const bin = (name, ...args) => run(binary(name), ...args);

/** A script of this repository. */
export const node = (script, ...args) => run(process.execPath, join(root, script), ...args);

/** Runs all commands, each a tool or a script (*.mjs) with its arguments, and fails at the end with the names of those that failed. */
export function runAll(commands) {
  const failed = commands.filter(([name, ...args]) =>
    name.endsWith('.mjs') ? exitCode(process.execPath, [join(root, name), ...args]) : exitCode(binary(name), args),
  );
  if (failed.length === 0) return;
  console.error(`failed: ${failed.map((command) => command.join(' ')).join('; ')}`);
  process.exit(1);
}

/** Installs exactly the committed lockfile; npm brings the pinned pnpm the first time (it costs 3 s, so only then). */
export function install(mode = '--frozen-lockfile') {
  const args = ['install', mode, '--prefer-offline'];
  const { pnpm } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies;
  if (existsSync(join(tools, 'pnpm'))) bin('pnpm', ...args);
  else run('npm', 'exec', '--yes', `--package=pnpm@${pnpm}`, '--', 'pnpm', ...args);
}
