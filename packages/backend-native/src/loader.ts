import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { GradPackError } from '@gradpack/core';
import { type Addon, INTERFACE_VERSION } from './addon-interface.js';

type Opened = { readonly addon: Addon } | { readonly reason: string };

/** Where `bin/build.mjs` puts it; the same from src and from dist. */
const BUILT = fileURLToPath(new URL('../build/Release/gradpack.node', import.meta.url));
/** The packages that bring a compiled addon, by platform and processor. They are optional dependencies of this one. */
const PLATFORMS: Readonly<Record<string, string>> = { 'linux-x64': '@gradpack/backend-native-linux-x64-gnu' };
const BUILD =
  'build it with `npx @gradpack/backend-native build` (it needs a C++17 compiler: g++ or clang++), or use another backend such as cpu()';

let loaded: Opened | undefined;

/**
 * The addon, loaded once: the one that GRADPACK_NATIVE names, else the one that was built here, else this platform's package.
 * Throws GRADPACK-NO-BACKEND, which says what was tried.
 */
export function loadAddon(where: string): Addon {
  const result = load();
  if ('addon' in result) return result.addon;
  throw new GradPackError('GRADPACK-NO-BACKEND', 'the native backend is not available here', {
    where,
    expected: 'a compiled addon of this version',
    got: result.reason,
    fix: fix(),
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

function load(): Opened {
  if (loaded) return loaded;
  loaded = find();
  if ('addon' in loaded) {
    const { addon } = loaded;
    // Node waits for runs that go on when the process ends: let them stop at their next call
    process.once('exit', () => addon.stopAll());
  }
  return loaded;
}

function find(): Opened {
  const named = process.env.GRADPACK_NATIVE;
  if (named) return open(named);
  const built = open(BUILT);
  if ('addon' in built) return built;
  const packaged = openPackage();
  return 'addon' in packaged ? packaged : { reason: `${built.reason}; ${packaged.reason}` };
}

function fix(): string {
  if (process.env.GRADPACK_NATIVE) return 'let GRADPACK_NATIVE name an addon of this version, or unset it';
  const name = PLATFORMS[platform()];
  return name ? `install ${name} of the same version (npm leaves it out with --omit=optional), or ${BUILD}` : BUILD;
}

const platform = (): string => `${process.platform}-${process.arch}`;

function openPackage(): Opened {
  const name = PLATFORMS[platform()];
  if (!name) return { reason: `there is no package with an addon for ${platform()}` };
  try {
    return open(createRequire(import.meta.url).resolve(name));
  } catch {
    return { reason: `${name} is not installed` };
  }
}

function open(path: string): Opened {
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
