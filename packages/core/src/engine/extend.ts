import type { Backend } from '../backend/backend.js';
import { GradPackError } from '../errors/gradpack-error.js';
import type { Loss } from '../loss/loss.js';
import { requireSameCore } from '../module/core-check.js';
import type { Carry } from '../module/layer.js';
import type { LayersOf, Module } from '../module/module.js';
import type { RuleEntry } from '../quantity/registry.js';
import { Net } from './net.js';

/** Where and how `extend` computes. */
export interface ExtendOptions<Covers extends string = never> {
  /** Where to compute. The `gradpack` package can choose one. */
  readonly backend: Backend;
  /** Of initial values and of randomness in steps; 0 by default. */
  readonly seed?: number;
  /** Rules of third parties, merged by `registry(...)`; quantities bring their own rules along. */
  readonly registry?: { readonly '~covers'?: (pair: Covers) => void; readonly entries: ReadonlyMap<string, RuleEntry> };
}

/**
 * Puts a model on a backend, together with its loss.
 *
 * @throws GRADPACK-NO-BACKEND, GRADPACK-MIXED-BACKENDS, GRADPACK-TWO-CORES
 * @example
 * const net = await extend(sequential(linear(4, 3)), crossEntropyLoss(), { backend: cpu(), seed: 0 });
 */
export async function extend<M extends Module, C extends Carry, Covers extends string = never>(
  model: M,
  loss: Loss<C>,
  options: ExtendOptions<Covers>,
): Promise<Net<LayersOf<M>, C, Covers>> {
  const backend = (options as Partial<ExtendOptions> | undefined)?.backend;
  if (!backend || typeof backend.run !== 'function')
    throw new GradPackError('GRADPACK-NO-BACKEND', 'extend needs a backend', {
      where: 'extend',
      expected: 'extend(model, loss, { backend })',
      got:
        backend === undefined
          ? 'no backend'
          : 'something that is not a backend (a promise that was not awaited, or what the umbrella’s backend() gives: take its backend)',
      fix: 'pass cpu() of @gradpack/backend-cpu, await native() or await webgpu(), or let the gradpack package choose one',
    });
  requireSameCore(model, 'extend');
  requireSameCore(loss, 'extend');
  return new Net<LayersOf<M>, C, Covers>(model, loss, backend, {
    seed: options.seed ?? 0,
    entries: options.registry?.entries ?? new Map(),
  });
}
