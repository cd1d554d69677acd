import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Data } from '../data.js';
import type { Implementation, Subject } from '../implementation.js';
import type { Problem } from '../problem.js';
import type { QuantityName } from '../quantities.js';
import { type Entry, readArrays, type TypedEntry, writeArrays } from './array-file.js';
import { missing, PYTHON } from './installed.js';
import { type PythonWorker, startFastest } from './python-worker.js';

const THREADS = 2;

export const torch: Implementation = peer('torch');
export const torchFunc: Implementation = { ...peer('torch.func'), baseline: torch };
/** Its norms of a convolution's gradients are 0.8e-4 from float64 for All-CNN-C; a loop of gradients in float32 is 1e-7. */
export const backpack: Implementation = {
  ...peer('backpack'),
  baseline: torch,
  tolerances: { BatchL2Grad: 4e-4, FirstOrderAll: 4e-4 },
};

function peer(name: string): Implementation {
  return {
    name,
    threads: THREADS,
    version: () => version(name),
    ...missing(PYTHON),
    prepare: (problem, quantity, data) => prepare(name, problem, quantity, data),
    close,
  };
}

/** One process and one folder for all three, from the first subject on. */
interface Session {
  readonly worker: PythonWorker;
  readonly folder: string;
  subjects: number;
  /** What was written last: the subjects of a measurement share it. */
  written?: { readonly data: Data; readonly index: readonly TypedEntry[] };
}

let session: Promise<Session> | undefined;

const open = (): Promise<Session> => {
  session ??= start();
  return session;
};

async function start(): Promise<Session> {
  const folder = await mkdtemp(join(tmpdir(), 'gradpack-bench-'));
  return { worker: await startFastest(PYTHON, THREADS), folder, subjects: 0 };
}

async function close(): Promise<void> {
  if (!session) return;
  const { worker, folder } = await session;
  session = undefined;
  await worker.end();
  await rm(folder, { recursive: true });
}

async function version(peer: string): Promise<string> {
  const { worker } = await open();
  return `${await worker.ask({ do: 'version', peer })} (idle threads ${worker.idle})`;
}

async function prepare(
  peer: string,
  { name: problem }: Problem,
  quantity: QuantityName,
  data: Data,
): Promise<Subject | undefined> {
  const current = await open();
  const { worker, folder } = current;
  const input = join(folder, 'input');
  if (current.written?.data !== data) current.written = { data, index: await writeArrays(input, arraysOf(data)) };

  const id = current.subjects++;
  const ask = (request: string, values = {}) => worker.ask({ do: request, subject: id, ...values });
  const dispose = async (): Promise<void> => {
    await ask('dispose');
  };
  const { index } = current.written;
  if (!(await ask('prepare', { peer, problem, quantity, path: input, index }))) {
    await dispose();
    return undefined;
  }
  return {
    turn: async (milliseconds) => (await ask('turn', { milliseconds })) as number[],
    async results() {
      const path = join(folder, 'results');
      return readArrays(path, (await ask('results', { path })) as Entry[]);
    },
    peakBytes: async () => (await ask('peak_bytes')) as number,
    dispose,
  };
}

function arraysOf({ images, labels, draws, weights, vectors }: Data) {
  const group = (name: string, arrays: Data['weights']) =>
    Object.entries(arrays).map(([parameter, array]) => [`${name} ${parameter}`, array] as const);
  return [
    ['images', images] as const,
    ['labels', labels] as const,
    ['draws', draws] as const,
    ...group('weights', weights),
    ...group('vectors', vectors),
  ];
}
