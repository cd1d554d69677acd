import { parseArgs } from 'node:util';
import type { Implementation } from './implementation.js';
import { PEERS } from './implementations/index.js';
import type { Problem } from './problem.js';
import { PROBLEMS } from './problems/index.js';
import { QUANTITIES, type QuantityName } from './quantities.js';

export interface Options {
  readonly problems: readonly Problem[];
  readonly quantities: readonly QuantityName[];
  /** What was asked for, or everything that is installed. */
  readonly peers: readonly Implementation[];
  /** File for the results as JSON. */
  readonly json: string | undefined;
  /** For each quantity of a problem. */
  readonly seconds: number;
  /** Seconds; a step may take as long. */
  readonly limit: number;
  readonly help: boolean;
}

const FULL = { seconds: 5, limit: 10 };
const QUICK = { seconds: 1, limit: 4 };

export const HELP = `Times quantities on problems, side by side.

  npm run bench -- [options]

  --problem <name>    ${PROBLEMS.map(({ name }) => name).join(', ')}; may be repeated (default: all)
  --quantity <name>   may be repeated (default: all)
                      ${QUANTITIES.join(', ')}
  --peers <names>     ${PEERS.map(({ name }) => name).join(', ')}, separated by commas, or none
                      (default: those that npm run bench:peers has installed); backpack and torch.func bring torch
  --json <file>       writes the results
  --seconds <n>       for each quantity of a problem (default ${FULL.seconds}); three rounds at least
  --limit <n>         leaves out what is expected to take more seconds a step (default ${FULL.limit})
  --quick             --seconds ${QUICK.seconds} --limit ${QUICK.limit}
  --help              this text`;

/** Throws an Error with one line of what is wrong. */
export function parseOptions(args: readonly string[], peers: readonly Implementation[] = PEERS): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      problem: { type: 'string', multiple: true },
      quantity: { type: 'string', multiple: true },
      peers: { type: 'string' },
      json: { type: 'string' },
      seconds: { type: 'string' },
      limit: { type: 'string' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const defaults = values.quick ? QUICK : FULL;
  return {
    problems: named('--problem', values.problem, PROBLEMS, ({ name }) => name),
    quantities: named('--quantity', values.quantity, QUANTITIES, (name) => name),
    peers: peersNamed(values.peers, peers),
    json: values.json,
    seconds: number('--seconds', values.seconds, defaults.seconds),
    limit: number('--limit', values.limit, defaults.limit),
    help: values.help,
  };
}

function number(option: string, value: string | undefined, absent: number): number {
  const parsed = Number(value ?? absent);
  if (!(parsed >= 0)) throw new Error(`${option} is a number, not ${value}`);
  return parsed;
}

function peersNamed(value: string | undefined, all: readonly Implementation[]): readonly Implementation[] {
  if (value === undefined) return all.filter(({ missing }) => !missing);
  if (value === 'none') return [];
  const asked = named('--peers', value.split(','), all, ({ name }) => name);
  const chosen = all.filter((peer) => asked.some((one) => [one.name, one.baseline?.name].includes(peer.name)));
  for (const { name, missing } of chosen) if (missing) throw new Error(`${name} is not installed: ${missing}`);
  return chosen;
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
