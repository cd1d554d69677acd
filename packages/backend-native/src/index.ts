export type { KernelProfile, NativeBackend } from './backend.js';
export { isNativeAvailable } from './loader.js';
export { type NativeOptions, native } from './native.js';
