import { parseArgs } from 'node:util';
import type { Problem } from './problem.js';
import { PROBLEMS } from './problems/index.js';
import { QUANTITIES, type QuantityName } from './quantities.js';

export interface Options {
  readonly problems: readonly Problem[];
  readonly quantities: readonly QuantityName[];
  /** File for the results as JSON. */
  readonly json: string | undefined;
  /** For each quantity of a problem. */
  readonly seconds: number;
  readonly help: boolean;
}

export const HELP = `Times quantities on problems, side by side.

  npm run bench -- [options]

  --problem <name>    ${PROBLEMS.map(({ name }) => name).join(', ')}; may be repeated (default: all)
  --quantity <name>   may be repeated (default: all)
                      ${QUANTITIES.join(', ')}
  --json <file>       writes the results
  --seconds <n>       for each quantity of a problem (default 5); three rounds at least
  --help              this text`;

/** Throws an Error with one line of what is wrong. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      problem: { type: 'string', multiple: true },
      quantity: { type: 'string', multiple: true },
      json: { type: 'string' },
      seconds: { type: 'string', default: '5' },
      help: { type: 'boolean', default: false },
    },
  });
  const seconds = Number(values.seconds);
  if (!(seconds >= 0)) throw new Error(`--seconds is a number, not ${values.seconds}`);
  return {
    problems: named('--problem', values.problem, PROBLEMS, ({ name }) => name),
    quantities: named('--quantity', values.quantity, QUANTITIES, (name) => name),
    json: values.json,
    seconds,
    help: values.help,
  };
}

function named<T>(
  option: string,
  asked: readonly string[] | undefined,
  all: readonly T[],
  nameOf: (one: T) => string,
): readonly T[] {
  const unknown = asked?.find((name) => !all.some((one) => nameOf(one) === name));
  if (unknown !== undefined) throw new Error(`${option} is one of ${all.map(nameOf).join(', ')}, not ${unknown}`);
  return asked ? all.filter((one) => asked.includes(nameOf(one))) : all;
}
