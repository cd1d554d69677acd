import { defineConfig, type Options } from 'tsup';

// JavaScript only: the d.ts files of all packages come from one `tsc -b`
export const lib = (options: Options = {}) =>
  defineConfig({
    entry: ['src/index.ts'],
    format: ['esm'],
    target: 'es2022', // `using` is lowered
    sourcemap: true,
    clean: ['!**/*.d.ts', '!**/*.d.ts.map'], // tsup deletes all of dist but these (and dot files): the d.ts are tsc's
    treeshake: true,
    dts: false,
    silent: true,
    ...options,
  });
