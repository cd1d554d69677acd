import { existsSync, readFileSync } from 'node:fs';
import { playwright } from '@vitest/browser-playwright';
import { configDefaults, defineConfig } from 'vitest/config';

// scripts/run.mjs sets these where @sparticuz/chromium runs (Linux x64)
const chromium = process.env.GRADPACK_CHROMIUM;
const gpuEnv = { GRADPACK_SOFTWARE_GPU: process.env.GRADPACK_SOFTWARE_GPU ?? '' };

const gpuTests = ['packages/backend-webgpu/test/**/*.test.ts', 'tests/webgpu/**/*.test.ts'];
const exclude = [...configDefaults.exclude, ...gpuTests];
const source = (runtime: 'node' | 'browser') => ['@gradpack/source', 'module', runtime, 'development|production'];
const lowered = { oxc: { target: 'es2022' } }; // Node 20 does not know `using`
export const onSources = {
  ...lowered,
  resolve: { conditions: source('node') },
  ssr: { resolve: { conditions: source('node'), externalConditions: ['@gradpack/source'] } },
};

export const test = { testTimeout: 60_000, hookTimeout: 60_000 }; // projects inherit nothing from the root
const gpuTest = { include: gpuTests, env: gpuEnv, testTimeout: 120_000, hookTimeout: 120_000 };
const pool = 'forks' as const;

/** Those below the one that native chooses here, which the other projects run. */
function lowerInstructionSets(): readonly string[] {
  const described = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  return described.includes(' avx512f ') ? ['avx2', 'portable'] : ['portable'];
}

const inNode = [
  { ...onSources, test: { ...test, name: 'unit', include: ['packages/*/test/**/*.test.ts'], exclude } },
  { ...onSources, test: { ...test, name: 'across', include: ['tests/**/*.test.ts'], exclude, pool } },
  {
    // the same tests once more, with every buffer of backend-cpu filled with NaN before its first and after its last use
    ...onSources,
    test: {
      ...test,
      name: 'poison',
      include: ['tests/{golden,truth,engine}/**/*.test.ts'],
      pool,
      env: { GRADPACK_POISON: '1' },
    },
  },
  ...lowerInstructionSets().map((isa) => ({
    ...onSources,
    test: {
      ...test,
      name: `native-${isa}`,
      include: ['tests/conformance/native*.test.ts', 'tests/golden/**/*.test.ts', 'tests/fuzz/**/*.test.ts'],
      pool,
      env: { GRADPACK_ISA: isa },
    },
  })),
  {
    // forks: Dawn lives per process, and a worker thread does not see the driver's environment
    ...onSources,
    test: { ...gpuTest, name: 'webgpu-node', pool, setupFiles: ['scripts/webgpu-node-setup.ts'] },
  },
];

const inChromium = (executablePath: string) => ({
  ...lowered,
  resolve: { conditions: source('browser') },
  server: {
    headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' },
  },
  test: {
    ...gpuTest,
    name: 'webgpu-chromium',
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath, args: ['--no-sandbox', '--enable-unsafe-webgpu'] } }),
      instances: [{ browser: 'chromium' as const }],
    },
  },
});

export default defineConfig({
  test: {
    maxWorkers: '100%',
    projects: chromium === undefined ? inNode : [...inNode, inChromium(chromium)],
  },
});
