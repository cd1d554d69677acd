import { type CpuOptions, cpu } from '@gradpack/backend-cpu';
import { type WebGpuOptions, webgpu } from '@gradpack/backend-webgpu';
import { type Backend, GradPackError, type Precision } from '@gradpack/core';
import { findAdapter } from './adapter.js';
import { type NativeOptions, native } from './native.js';

type Name = 'native' | 'webgpu' | 'cpu';

export interface BackendOptions {
  /** Tried before the others; asked for by name, WebGPU may be a software adapter. */
  readonly prefer?: Name;
  /** Float type of all numbers, `float32` by default. WebGPU has no `float64`. */
  readonly precision?: Precision;
  /** Bytes that one step may take by default. */
  readonly memory?: number;
  /** Of the native backend alone. */
  readonly native?: Omit<NativeOptions, 'precision' | 'memory'>;
  /** Of WebGPU alone. */
  readonly webgpu?: Omit<WebGpuOptions, 'memory'>;
  /** Of plain TypeScript alone. */
  readonly cpu?: Omit<CpuOptions, 'precision' | 'memory'>;
}

export interface ChosenBackend {
  readonly backend: Backend;
  /** What was chosen, and why what comes before it was not. */
  readonly reason: string;
}

/** A backend with what to say about it, or why it cannot be had. */
type Found = ChosenBackend | string;

const ORDER: readonly Name[] = ['native', 'webgpu', 'cpu'];

/**
 * The best backend that is available: compiled kernels, then a GPU through WebGPU, then plain TypeScript, which runs everywhere.
 * A software adapter of WebGPU is passed over, because plain TypeScript is faster. Prints nothing.
 *
 * @throws GRADPACK-OPTION for a backend that is not known
 * @example
 * const { backend: chosen, reason } = await backend();
 * console.log(reason);
 * const net = await extend(model, crossEntropyLoss(), { backend: chosen });
 */
export async function backend(options: BackendOptions = {}): Promise<ChosenBackend> {
  const { prefer } = options;
  if (prefer !== undefined && !ORDER.includes(prefer)) throw unknownBackend(prefer);
  const order = prefer === undefined ? ORDER : [prefer, ...ORDER.filter((name) => name !== prefer)];
  const passedOver: string[] = [];
  for (const name of order) {
    const found = await FIND[name](options);
    if (typeof found !== 'string') {
      const reason = [found.reason, ...passedOver].join('; ');
      return { backend: found.backend, reason };
    }
    passedOver.push(`no ${name}: ${found}`);
  }
  throw unknownBackend('none of the backends'); // cpu is always found
}

const FIND: Readonly<Record<Name, (options: BackendOptions) => Promise<Found>>> = {
  async native(options) {
    try {
      const made = await native({ ...options.native, ...shared(options) });
      return { backend: made, reason: `native: compiled kernels (${made.isa}, ${made.threads} threads)` };
    } catch (error) {
      return unavailable(error);
    }
  },
  async webgpu(options) {
    if (options.precision === 'float64') return 'it computes in float32 only';
    const { device, adapter, gpu, powerPreference } = options.webgpu ?? {};
    const memory = options.memory === undefined ? {} : { memory: options.memory };
    try {
      if (device || adapter)
        return { backend: await webgpu({ ...options.webgpu, ...memory }), reason: 'webgpu: the device that was given' };
      const found = await findAdapter(gpu, powerPreference === undefined ? {} : { powerPreference });
      if (typeof found === 'string') return found;
      if (found.software && options.prefer !== 'webgpu') return `its adapter is software (${found.name})`;
      return { backend: await webgpu({ adapter: found.adapter, ...memory }), reason: `webgpu: ${found.name}` };
    } catch (error) {
      return unavailable(error);
    }
  },
  async cpu(options) {
    return { backend: cpu({ ...options.cpu, ...shared(options) }), reason: 'cpu: plain TypeScript' };
  },
};

function shared({ precision, memory }: BackendOptions): { precision?: Precision; memory?: number } {
  return { ...(precision !== undefined && { precision }), ...(memory !== undefined && { memory }) };
}

/** Why a backend is not here; what is wrong with the call stays an error. */
function unavailable(error: unknown): string {
  if (error instanceof GradPackError && error.code !== 'GRADPACK-NO-BACKEND') throw error;
  const got = error instanceof GradPackError ? error.detail?.got : undefined;
  return String(got ?? (error instanceof Error ? error.message : error));
}

function unknownBackend(got: string): GradPackError {
  return new GradPackError('GRADPACK-OPTION', 'there is no such backend', {
    where: 'backend',
    expected: ORDER.join(', '),
    got,
    fix: 'leave `prefer` out, or name one of these',
  });
}
