import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { GradPackError } from '@gradpack/core';
import { type Addon, INTERFACE_VERSION } from './addon-interface.js';

type Loaded = { readonly addon: Addon } | { readonly reason: string };

/** Where `bin/build.mjs` puts it; the same from src and from dist. */
const BUILT = fileURLToPath(new URL('../build/Release/gradpack.node', import.meta.url));
const FIX =
  'build it with `npx @gradpack/backend-native build` (it needs a C++17 compiler: g++ or clang++), or use another backend such as cpu()';

let loaded: Loaded | undefined;

/** The addon, loaded once: from the path in GRADPACK_NATIVE, or as built. Throws GRADPACK-NO-BACKEND. */
export function loadAddon(where: string): Addon {
  const result = load();
  if ('addon' in result) return result.addon;
  throw new GradPackError('GRADPACK-NO-BACKEND', 'the native backend is not available here', {
    where,
    expected: 'a compiled addon of this version',
    got: result.reason,
    fix: FIX,
  });
}

/**
 * Whether `native()` will find its addon: true, or the reason why not.
 *
 * @example
 * const backend = isNativeAvailable() === true ? await native() : cpu();
 */
export function isNativeAvailable(): true | string {
  const result = load();
  return 'addon' in result ? true : result.reason;
}

function load(): Loaded {
  loaded ??= open(process.env.GRADPACK_NATIVE ?? BUILT);
  return loaded;
}

function open(path: string): Loaded {
  if (!existsSync(path)) return { reason: `no addon at ${path}` };
  let addon: unknown;
  try {
    addon = createRequire(import.meta.url)(path);
  } catch (error) {
    return { reason: `${path} does not load: ${error instanceof Error ? error.message : String(error)}` };
  }
  if (!isAddon(addon)) return { reason: `${path} is no addon of GradPack` };
  if (addon.interfaceVersion !== INTERFACE_VERSION)
    return {
      reason: `${path} is stale: it has interface ${addon.interfaceVersion}, this package needs ${INTERFACE_VERSION}`,
    };
  // Node waits for runs that go on when the process ends: let them stop at their next call
  process.once('exit', () => addon.stopAll());
  return { addon };
}

function isAddon(value: unknown): value is Addon {
  return (
    typeof value === 'object' &&
    value !== null &&
    'interfaceVersion' in value &&
    typeof value.interfaceVersion === 'number'
  );
}
