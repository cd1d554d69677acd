import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The Python process behind torch, torch.func and backpack: `peers/python/worker.py`. */
export interface PythonWorker {
  /** What idle threads of OpenMP do: they spin for some milliseconds unless told to sleep. */
  readonly idle: 'spin' | 'sleep';
  /** One request at a time. Throws what went wrong there. */
  ask(request: Readonly<Record<string, unknown>>): Promise<unknown>;
  end(): Promise<void>;
}

const SCRIPT = fileURLToPath(new URL('../peers/python/worker.py', import.meta.url));

/** Two at first, of which the one stays that is faster on this machine as it is now. */
export async function startFastest(python: string, threads: number): Promise<PythonWorker> {
  const workers = [start(python, threads, 'spin'), start(python, threads, 'sleep')] as const;
  for (const worker of workers) await worker.ask({ do: 'version', peer: 'torch' }); // both are there, and idle
  const ms = async (worker: PythonWorker) => (await worker.ask({ do: 'small_step_ms' })) as number;
  const [spinning, sleeping] = workers;
  const [kept, other] = (await ms(spinning)) < (await ms(sleeping)) ? [spinning, sleeping] : [sleeping, spinning];
  await other.end();
  return kept;
}

function start(python: string, threads: number, idle: PythonWorker['idle']): PythonWorker {
  const child = spawn(python, ['-W', 'ignore', SCRIPT, String(threads)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // NumPy's BLAS is not used: without threads of its own the process can fork
    env: { ...process.env, ...(idle === 'sleep' && { OMP_WAIT_POLICY: 'passive' }), OPENBLAS_NUM_THREADS: '1' },
  });
  child.stdin.on('error', () => {}); // it has ended: the next answer says so
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    idle,
    async ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value: line, done } = await lines.next();
      if (done) throw new Error('the Python process has ended');
      const answer = JSON.parse(line) as { readonly value?: unknown; readonly error?: string };
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer.value;
    },
    async end() {
      child.stdin.end();
      await ended;
    },
  };
}
