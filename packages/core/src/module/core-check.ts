import { GradPackError } from '../errors/gradpack-error.js';
import { CORE, type CoreToken } from '../version.js';

/** Throws where something was made by another copy of @gradpack/core, or by none. */
export function requireSameCore(thing: { readonly '~core': CoreToken }, where: string): void {
  const other = (thing as Partial<typeof thing> | undefined)?.['~core'];
  if (other === CORE) return;
  if (other === undefined)
    throw new GradPackError('GRADPACK-OPTION', 'something here was not made by GradPack', {
      where,
      expected: 'a module, loss, quantity, value or tensor made by @gradpack/core or a package built on it',
      got: describe(thing),
      fix: 'make it with the functions and classes of these packages',
    });
  throw new GradPackError('GRADPACK-TWO-CORES', 'two copies of @gradpack/core are loaded', {
    where,
    expected: `something made with @gradpack/core ${CORE.version} (this copy)`,
    got: `something made with another copy, ${other.version}`,
    fix: 'install one version: run `npm ls @gradpack/core` and align the packages that bring their own',
    detail: { versions: [CORE.version, other.version] },
  });
}

function describe(thing: unknown): string {
  if (typeof thing === 'function') return 'a function (one that was not called?)';
  return typeof thing !== 'object' || thing === null
    ? String(thing)
    : Array.isArray(thing)
      ? 'an array'
      : 'another object';
}
