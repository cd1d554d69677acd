import {
  type Backend,
  batchL2Grad,
  cpu,
  crossEntropyLoss,
  diagGGNExact,
  extend,
  linear,
  sequential,
  tanh,
  tensor,
  webgpu,
} from 'gradpack';

export interface Point {
  readonly x: number;
  readonly y: number;
  readonly label: number;
}

/** What the page shows after some steps. */
export interface Report {
  readonly step: number;
  readonly loss: number;
  readonly accuracy: number;
  /** Trace of the Gauss-Newton matrix. */
  readonly trace: number;
  /** Norm of each sample's gradient, times N: of its own loss. */
  readonly norms: readonly number[];
}

export interface Chosen {
  readonly backend: Backend;
  readonly reason: string;
}

const POINTS = 120;
export const WRONG = [17, 61, 98];

/** Three arms of a spiral, with a few labels that are wrong on purpose. */
export function spiral(): readonly Point[] {
  return Array.from({ length: POINTS }, (_, n) => {
    const arm = n % 3;
    const along = 0.25 + (0.75 * Math.floor(n / 3)) / (POINTS / 3);
    const angle = (2 * Math.PI * arm) / 3 + 3.5 * along + 0.12 * Math.sin(12.9898 * n);
    return {
      x: along * Math.cos(angle),
      y: along * Math.sin(angle),
      label: WRONG.includes(n) ? (arm + 1) % 3 : arm,
    };
  });
}

/** WebGPU where it was asked for and is there, else plain TypeScript, with the reason. */
export async function choose(wanted: 'cpu' | 'webgpu'): Promise<Chosen> {
  if (wanted === 'cpu') return { backend: cpu(), reason: 'cpu: plain TypeScript in this page' };
  try {
    return { backend: await webgpu(), reason: 'webgpu: the GPU, through this browser' };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { backend: cpu(), reason: `cpu, because WebGPU is not available.\n${why}` };
  }
}

/** Trains until `stop` says so, and reports every `every` steps. */
export async function train(
  backend: Backend,
  points: readonly Point[],
  { steps, every, report, stop }: { steps: number; every: number; report: (r: Report) => void; stop: () => boolean },
): Promise<void> {
  const model = sequential(linear(2, 24), tanh(), linear(24, 24), tanh(), linear(24, 3));
  const net = await extend(model, crossEntropyLoss(), { backend, seed: 1 });
  const x = tensor(
    backend,
    points.map((p) => [3 * p.x, 3 * p.y]),
  );
  const y = tensor(
    backend,
    Int32Array.from(points, ({ label }) => label),
  );
  try {
    for (let step = 0; step <= steps && !stop(); step++) {
      if (step % every === 0) {
        const looked = await net.backward(x, y, { norms: batchL2Grad(), ggn: diagGGNExact() });
        const { loss, norms, ggn } = await looked.read();
        looked.dispose();
        const perParameter = [...norms].map(([, , { data }]) => data);
        const squared = points.map((_, n) => perParameter.reduce((sum, data) => sum + (data[n] ?? 0), 0));
        let trace = 0;
        for (const [, , { data }] of ggn) for (const value of data) trace += value;
        const output = await net.forward(x);
        const logits = await output.data();
        output.dispose();
        const right = points.filter(({ label }, n) => {
          const row = Array.from(logits.subarray(3 * n, 3 * n + 3));
          return row.indexOf(Math.max(...row)) === label;
        }).length;
        report({
          step,
          loss,
          accuracy: right / points.length,
          trace,
          norms: squared.map((value) => points.length * Math.sqrt(value)),
        });
      }
      const pass = await net.backward(x, y);
      await net.update(pass.gradient, { scale: -0.3 });
      pass.dispose();
      // let the page draw
      if (step % 5 === 0) await new Promise((resolve) => setTimeout(resolve));
    }
  } finally {
    x.dispose();
    y.dispose();
    await net.dispose();
  }
}
