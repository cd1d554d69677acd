import { GradPackError } from '../errors/gradpack-error.js';
import { bytesPerElement } from '../tensor/dtype.js';
import { sizeOf } from '../tensor/shape.js';
import type { MissingPair } from './missing.js';
import type { Plan, PlanRequest } from './plan.js';
import { isTensorRef, leavesOf } from './tree.js';

/** Lists every missing pair of a step. */
export function unsupported(missing: readonly MissingPair[]): GradPackError {
  const reasons = [...new Set(missing.map(({ reason }) => reason))];
  return new GradPackError(
    'GRADPACK-UNSUPPORTED-PAIR',
    `${reasons.length === 1 ? 'one pair is' : `${reasons.length} pairs are`} not supported: ${reasons.join('; ')}`,
    {
      where: 'net.backward',
      expected: 'quantities that are defined for every layer of the net',
      got: reasons.join('; '),
      fix: "leave the quantity out, freeze the parameter, register rules for it, or pass onMissing: 'skip'",
      detail: { pairs: reasons },
    },
  );
}

/** Says what a step needs, what takes most, and what to do. */
export function tooLarge(
  { quantities, memoryLimit, tensorBytes }: PlanRequest,
  { recorded, results }: Plan,
): GradPackError {
  const bytesOf = (tree: unknown): number =>
    leavesOf(tree, isTensorRef).reduce((sum, ref) => sum + sizeOf(ref.shape) * bytesPerElement(ref.dtype), 0);
  const sizes = [...results].map(([name, values]) => ({
    name,
    bytes: typeof values === 'string' ? 0 : [...values.values()].reduce<number>((sum, tree) => sum + bytesOf(tree), 0),
  }));
  const [most] = sizes.sort((a, b) => b.bytes - a.bytes);
  const { scratch, kept, results: resultBytes } = recorded.program.bytes;
  const named =
    most && most.bytes > 0 ? `, of which ${most.name} (${quantities[most.name]?.name}) takes ${most.bytes}` : '';
  return new GradPackError('GRADPACK-OUT-OF-MEMORY', `the step needs ${scratch + kept + resultBytes} bytes${named}`, {
    where: 'net.backward',
    expected: `at most ${memoryLimit} bytes in all (memoryLimit) and ${tensorBytes} in one tensor`,
    got: `${scratch} for the computation, ${resultBytes} for results, ${kept} kept for products`,
    fix: 'use a smaller batch, ask for a sum in place of results per sample, or raise memoryLimit',
    detail: { scratch, kept, results: resultBytes, quantity: most?.name },
  });
}
