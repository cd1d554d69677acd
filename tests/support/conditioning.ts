import { cpu } from '@gradpack/backend-cpu';
import { type NetSpec, randomNet, type SpecArray, seededRandom } from '@gradpack/testkit';
import { errorsAgainstTruth } from './against-truth.js';
import type { QuantityError } from './compare.js';

/** Of the largest entry of a result. */
const ERROR = 1e-5;
/** How often a rounding is met on the way to a result: 3600 random nets on native stay below. */
const ROUNDINGS = 32;

/**
 * The errors of a float32 backend that float32 does not explain: those above 1e-5 plus how far exact results move when every number of
 * the net moves by a rounding. Differences of almost equal numbers (p − onehot of a confident net, gradients that nearly cancel over
 * the batch, signed columns) amplify roundings by any factor.
 *
 * @param random as it was when the errors were computed, so that labels and vectors are the same
 */
export async function unexplainedErrors(
  errors: readonly QuantityError[],
  spec: NetSpec,
  random: () => number,
): Promise<readonly QuantityError[]> {
  const large = errors.filter(({ error }) => !(error <= ERROR));
  if (large.length === 0) return [];
  const exact = cpu({ precision: 'float64' });
  const moves = await errorsAgainstTruth(spec, exact, random, {}, moved(spec));
  await exact.dispose();
  const moveOf = ({ quantity, parameter }: QuantityError): number =>
    moves.find((move) => move.quantity === quantity && move.parameter === parameter)?.error ?? 0;
  return large.filter((one) => !(one.error <= ERROR + ROUNDINGS * moveOf(one)));
}

/** The random numbers that follow the random net of a seed. */
export function afterNet(seed: number): () => number {
  const random = seededRandom(seed);
  randomNet(random);
  return random;
}

/** Every number up or down by half a unit of float32's last place. */
function moved(spec: NetSpec): NetSpec {
  let sign = 1;
  const round = <T extends SpecArray>(array: T): T => ({
    ...array,
    data: array.data.map((x) => {
      sign = (sign * 48_271) % 2_147_483_647;
      return x * (1 + (sign % 2 === 0 ? 1 : -1) * 2 ** -24);
    }),
  });
  const all = <T extends SpecArray>(arrays: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, round(array)]));
  const floats = Object.entries(spec.inputs).filter(([, { dtype }]) => dtype === 'float');
  return {
    ...spec,
    inputs: { ...spec.inputs, ...all(Object.fromEntries(floats)) },
    parameters: all(spec.parameters),
  };
}
