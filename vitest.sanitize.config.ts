// The suites that load the addon, for scripts/sanitize.mjs. vitest's own process has no sanitizer in it; the processes that it
// forks for the test files get the runtime by GRADPACK_PRELOAD.
import { defineConfig } from 'vitest/config';
import { onSources, test } from './vitest.config.ts';

process.env.LD_PRELOAD = process.env.GRADPACK_PRELOAD;

export default defineConfig({
  ...onSources,
  test: {
    ...test,
    name: 'sanitize',
    include: [
      'packages/backend-native/test/**/*.test.ts',
      'tests/conformance/native*.test.ts',
      'tests/{fuzz,threads}/**/*.test.ts',
    ],
    pool: 'forks',
    slowTestThreshold: 1e9, // one line a file: everything is slow here
    testTimeout: 600_000,
  },
});
