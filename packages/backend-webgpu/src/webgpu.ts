import type { Backend } from '@gradpack/core';
import { acquireDevice, type DeviceSource } from './device/acquire-device.js';
import { DeviceBackend } from './device/device-backend.js';
import type { AdapterHandle, DeviceHandle, GpuHandle } from './gpu-types.js';

export interface WebGpuOptions {
  /** A device of yours: it is used with its own limits and never destroyed. */
  readonly device?: DeviceHandle;
  /** An adapter of yours that has not given a device yet. */
  readonly adapter?: AdapterHandle;
  /** Where adapters come from; `navigator.gpu` by default. In Node: `create([])` of the npm package `webgpu`, held as long as the process lives. */
  readonly gpu?: GpuHandle;
  readonly powerPreference?: 'low-power' | 'high-performance';
  /** Bytes that one step may take by default; the largest buffer of the device by default. */
  readonly memory?: number;
}

/**
 * A backend that computes in float32 on a GPU, through WebGPU: in browsers, and in Node with the npm package `webgpu`. Asks the
 * adapter for its largest limits. When the device is lost, `state` becomes `lost` and every call throws GRADPACK-BACKEND-LOST.
 *
 * Throws GRADPACK-NO-BACKEND with the reason where there is no WebGPU, no adapter or no device.
 *
 * @example
 * const net = await extend(model, crossEntropyLoss(), { backend: await webgpu() });
 */
export async function webgpu(options: WebGpuOptions = {}): Promise<Backend> {
  const { memory } = options;
  // the handles are `unknown` where a program has no WebGPU types
  const { device, owned } = await acquireDevice(options as DeviceSource);
  return new DeviceBackend({ device, owned, ...(memory === undefined ? {} : { memory }) });
}
