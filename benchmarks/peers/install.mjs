// What GradPack is compared with, into this folder: Python packages into .venv, JavaScript packages into node_modules. Nothing
// else needs them, and they are hundreds of megabytes. Doing it again is quick.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const reference = join(folder, '../../reference');
const windows = process.platform === 'win32';

function succeeds(command, ...args) {
  const { error, status } = spawnSync(command, args, { cwd: folder, stdio: 'inherit', shell: windows });
  if (error) throw error;
  return status === 0;
}

function run(command, ...args) {
  if (!succeeds(command, ...args)) process.exit(1);
}

const python = join(folder, windows ? '.venv/Scripts/python.exe' : '.venv/bin/python');
const pip = [python, '-m', 'pip', 'install', '--disable-pip-version-check', '--quiet'];

run(process.env.PYTHON ?? 'python3', '-m', 'venv', '.venv');
// an index that has builds for the CPU alone saves gigabytes of CUDA
if (!succeeds(...pip, 'torch==2.13.0+cpu'))
  console.log('no build of PyTorch for the CPU alone in the index: taking the usual one');
run(...pip, '-r', join(reference, 'requirements.txt'));
run(...pip, '--no-deps', '-r', join(reference, 'requirements-no-deps.txt'));

run('npm', 'install', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error');
