import type { NativeBackend, NativeOptions } from '@gradpack/backend-native';
import { GradPackError } from '@gradpack/core';

export type { NativeBackend, NativeOptions };

type NativePackage = typeof import('@gradpack/backend-native');

/** In two parts, so that bundlers for browsers don't follow it to `node:` modules and the addon. */
const PACKAGE = ['@gradpack', 'backend-native'].join('/');

/**
 * `native()` of @gradpack/backend-native, loaded when it is called, so that browsers never see its `node:` modules.
 *
 * @throws GRADPACK-NO-BACKEND outside of Node, and where the addon is not built
 * @example
 * const net = await extend(model, crossEntropyLoss(), { backend: await native({ threads: 4 }) });
 */
export async function native(options: NativeOptions = {}): Promise<NativeBackend> {
  if (!isNode())
    throw new GradPackError('GRADPACK-NO-BACKEND', 'the native backend is not available here', {
      where: 'native',
      expected: 'Node',
      got: 'a browser or another runtime',
      fix: 'use await webgpu() or cpu(), or let backend() choose',
    });
  const loaded = (await import(/* @vite-ignore */ /* webpackIgnore: true */ PACKAGE)) as NativePackage;
  return loaded.native(options);
}

function isNode(): boolean {
  const { process } = globalThis as { readonly process?: { readonly versions?: { readonly node?: string } } };
  return typeof process?.versions?.node === 'string';
}
