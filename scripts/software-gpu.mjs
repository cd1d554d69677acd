// Unpacks the headless Chromium and the SwiftShader of npm `@sparticuz/chromium`, once, and returns the environment that
// makes Dawn (npm `webgpu`) and Chromium compute in software. The loader reads LD_LIBRARY_PATH when a process starts, so
// these variables must be set on the process that runs the tests, not inside it. GRADPACK_LEFT_OUT tells the reporter
// which vitest project cannot run here, and why.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

export function softwareGpu() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { GRADPACK_LEFT_OUT: `webgpu-chromium: no software browser for ${process.platform}-${process.arch}` };
  }
  const dir = resolve('node_modules/.cache/gradpack-software-gpu');
  if (!existsSync(dir)) {
    const part = `${dir}.${process.pid}`; // renamed when whole: an interrupted run leaves no half-written browser behind
    mkdirSync(part, { recursive: true });
    // executablePath() unpacks into os.tmpdir(); "20.x" adds al2023/lib (NSS, NSPR, expat) for systems that lack them
    const env = { ...process.env, TMPDIR: part, AWS_EXECUTION_ENV: '20.x' };
    const script = "import chromium from '@sparticuz/chromium'; await chromium.executablePath()";
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { env, stdio: 'inherit' });
    if (existsSync(dir)) rmSync(part, { recursive: true });
    else renameSync(part, dir);
  }
  const browser = join(dir, 'chromium');
  const missing = execFileSync('ldd', [browser], { encoding: 'utf8' }).includes('not found');
  const libraries = missing ? [dir, join(dir, 'al2023/lib')] : [dir];
  return {
    GRADPACK_SOFTWARE_GPU: '1',
    GRADPACK_CHROMIUM: browser,
    VK_ICD_FILENAMES: join(dir, 'vk_swiftshader_icd.json'),
    LD_LIBRARY_PATH: [...libraries, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':'),
  };
}
