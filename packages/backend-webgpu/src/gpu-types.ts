/**
 * A WebGPU type of the surrounding program, or `unknown` where it has no WebGPU types: so the declarations of this package compile
 * with `@webgpu/types`, with `@types/web`, with TypeScript's own library and without any of them.
 */
type GlobalInstance<Name extends string> = typeof globalThis extends {
  readonly [key in Name]: { readonly prototype: infer Instance };
}
  ? Instance
  : unknown;

export type DeviceHandle = GlobalInstance<'GPUDevice'>;
export type AdapterHandle = GlobalInstance<'GPUAdapter'>;
export type GpuHandle = GlobalInstance<'GPU'>;
