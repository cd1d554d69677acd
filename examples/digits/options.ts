import { parseArgs } from 'node:util';

export const BACKENDS = ['auto', 'native', 'webgpu', 'cpu'] as const;
export type BackendName = (typeof BACKENDS)[number];

export interface Options {
  readonly backend: BackendName;
  readonly epochs: number;
  readonly seed: number;
  readonly help: boolean;
}

export const HELP = `Trains a small network on handwritten digits and looks into it.

  npm start -- [options]

  --backend <name>  ${BACKENDS.join(', ')} (default auto);
                    WebGPU without a GPU takes minutes
  --epochs <n>      passes through the training images (default 8)
  --seed <n>        of the split, the flipped labels and the network (default 0)
  --help            this text`;

/** Throws an Error with one line of what is wrong. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      backend: { type: 'string', default: 'auto' },
      epochs: { type: 'string', default: '8' },
      seed: { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  });
  const backend = BACKENDS.find((name) => name === values.backend);
  if (backend === undefined) throw new Error(`--backend is one of ${BACKENDS.join(', ')}, not ${values.backend}`);
  const epochs = wholeNumber('--epochs', values.epochs, 1);
  return { backend, epochs, seed: wholeNumber('--seed', values.seed, 0), help: values.help };
}

function wholeNumber(option: string, text: string, least: number): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isInteger(number) && number >= least && number < 2 ** 32) return number;
  throw new Error(`${option} is a whole number, ${least} or more, not ${text}`);
}
