import { GradPackError, type Loss } from '@gradpack/core';

/**
 * The loss times a number: value, gradient and every second-order quantity scale alike. A factor that changes between steps needs
 * no new plan, as long as its sign stays.
 *
 * Throws GRADPACK-OPTION unless the factor is finite.
 *
 * @example
 * const net = await extend(model, scaleLoss(crossEntropyLoss(), 0.5), { backend });
 */
export function scaleLoss<L extends Loss>(loss: L, factor: number): L {
  if (!Number.isFinite(factor))
    throw new GradPackError('GRADPACK-OPTION', 'a loss can only be scaled by a finite number', {
      where: 'scaleLoss',
      expected: 'a finite number',
      got: factor,
      fix: 'pass a number such as 0.5',
    });
  const scale = (loss.scale ?? 1) * factor;
  const unsigned = loss.key.replace(/^-/, '');
  return { ...loss, scale, key: scale < 0 ? `-${unsigned}` : unsigned };
}
