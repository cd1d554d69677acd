import type { Draw } from '@gradpack/testkit';

const ODD = [
  -1,
  0,
  1,
  2,
  3,
  7,
  255,
  65_536,
  2 ** 20,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 40,
  2 ** 48,
  2 ** 53,
  -(2 ** 31),
  -(2 ** 48),
];
const NO_INTEGER = [0.5, -0, 1e300, Number.MIN_VALUE, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** The words with up to three mistakes of the kinds that a defect or an old cache would make. */
export function mutatedWords(draw: Draw, words: Float64Array): Float64Array<ArrayBuffer> {
  const mutated = [...words];
  for (let mistakes = draw.whole(1, 3); mistakes > 0; mistakes--) {
    const at = draw.whole(0, Math.max(0, mutated.length - 1));
    const word = mutated[at] ?? 0;
    switch (draw.whole(0, 11)) {
      case 0:
        mutated.length = at;
        break;
      case 1:
        mutated.splice(at, draw.whole(1, 4));
        break;
      case 2:
        mutated.splice(at, 0, draw.pick(ODD));
        break;
      case 3:
        mutated[at] = draw.pick(NO_INTEGER);
        break;
      case 4:
        mutated[at] = mutated[draw.whole(0, at)] ?? 0;
        break;
      case 5:
        mutated.push(...mutated.slice(at));
        break;
      case 6:
      case 7:
        mutated[at] = draw.pick(ODD);
        break;
      default:
        mutated[at] = draw.pick([word + 1, word - 1, -word, 2 * word, draw.whole(0, 40)]);
    }
  }
  return Float64Array.from(mutated);
}

/** Words that were never a program; often the first ones make sense. */
export function randomWords(draw: Draw): Float64Array<ArrayBuffer> {
  const start = draw.whole(0, 1) ? [0, 0, 1, 0, draw.whole(0, 99), -1, draw.whole(0, 2), draw.whole(0, 19)] : [];
  const some = () => draw.pick([draw.whole(0, 3), draw.whole(0, 99), draw.pick(ODD), draw.pick(NO_INTEGER)]);
  return Float64Array.from([...start, ...Array.from({ length: draw.whole(0, 60) }, some)]);
}
