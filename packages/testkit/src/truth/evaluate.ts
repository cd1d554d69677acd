import type { NetSpec, SpecArray } from '../net-spec.js';
import { forward, outputOf } from './forward.js';
import { lossShares } from './loss.js';

export function evaluate(net: NetSpec): { readonly output: SpecArray; readonly loss: number } {
  const output = outputOf(net, forward(net));
  const loss = lossShares(net, output).value.reduce((sum, share) => sum + share, 0);
  return { output: { shape: output.shape, data: [...output.value] }, loss };
}
