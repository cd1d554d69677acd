import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The Python process behind torch, torch.func and backpack: `peers/python/worker.py`. */
export interface PythonWorker {
  /** One request at a time. Throws what went wrong there. */
  ask(request: Readonly<Record<string, unknown>>): Promise<unknown>;
  end(): Promise<void>;
}

const SCRIPT = fileURLToPath(new URL('../peers/python/worker.py', import.meta.url));

export function startWorker(python: string, threads: number): PythonWorker {
  const child = spawn(python, ['-W', 'ignore', SCRIPT, String(threads)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // NumPy's BLAS is not used: without threads of its own the process can fork
    env: { ...process.env, OPENBLAS_NUM_THREADS: '1' },
  });
  child.stdin.on('error', () => {}); // it has ended: the next answer says so
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
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
