import type { AdapterHandle, GpuHandle } from '@gradpack/backend-webgpu';

/** What is asked of WebGPU here; its types are not part of every program that uses this package. */
interface Gpu {
  requestAdapter(options?: object): Promise<Adapter | null>;
}
interface Adapter {
  readonly info?: {
    readonly isFallbackAdapter?: boolean;
    readonly vendor?: string;
    readonly architecture?: string;
    readonly device?: string;
    readonly description?: string;
  };
  /** Browsers before `info` had it. */
  readonly isFallbackAdapter?: boolean;
}

export interface FoundAdapter {
  readonly adapter: AdapterHandle;
  /** As the driver describes it, as far as it does. */
  readonly name: string;
  /** It computes on the processor, more slowly than the backends made for that. */
  readonly software: boolean;
}

const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|software|basic render/i;

/** The adapter that WebGPU offers, or the reason why there is none. */
export async function findAdapter(given: GpuHandle | undefined, options: object): Promise<FoundAdapter | string> {
  const { navigator } = globalThis as { readonly navigator?: { readonly gpu?: unknown } };
  const gpu = (given ?? navigator?.gpu) as Gpu | undefined;
  if (!gpu) return 'there is no navigator.gpu';
  let adapter: Adapter | null;
  try {
    adapter = await gpu.requestAdapter(options);
  } catch (error) {
    return `requestAdapter failed: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (!adapter) return 'there is no adapter';
  const { info } = adapter;
  const words = [info?.vendor, info?.architecture, info?.device, info?.description].filter(Boolean).join(' ');
  const software = (info?.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false) || SOFTWARE.test(words);
  return { adapter: adapter as AdapterHandle, name: words || 'a GPU', software };
}
