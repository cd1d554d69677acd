/** Of this package; a test keeps it equal to package.json. */
export const VERSION = '0.0.0';

/** Identifies this copy of core. Modules, values, quantities and losses carry it, so that a second copy is told in words. */
export interface CoreToken {
  readonly version: string;
}

export const CORE: CoreToken = { version: VERSION };
