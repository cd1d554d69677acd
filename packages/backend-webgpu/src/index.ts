export type { AdapterHandle, DeviceHandle, GpuHandle } from './gpu-types.js';
export { type WebGpuOptions, webgpu } from './webgpu.js';
