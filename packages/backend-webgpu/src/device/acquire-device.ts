import { GradPackError } from '@gradpack/core';

export interface DeviceSource {
  readonly device?: GPUDevice;
  readonly adapter?: GPUAdapter;
  readonly gpu?: GPU;
  readonly powerPreference?: 'low-power' | 'high-performance';
}

/** The limits that kernels meet: a device gets the specification's small defaults unless it asks for more. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxUniformBufferBindingSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
] as const;

/** The device that was handed in, or a new one with the adapter's limits. Throws GRADPACK-NO-BACKEND with the reason. */
export async function acquireDevice({
  device,
  adapter,
  gpu,
  powerPreference,
}: DeviceSource): Promise<{ readonly device: GPUDevice; readonly owned: boolean }> {
  if (device) return { device, owned: false };
  const from = adapter ?? (await requestAdapter(gpu, powerPreference));
  const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, from.limits[name]]));
  try {
    return { device: await from.requestDevice({ label: 'gradpack', requiredLimits }), owned: true };
  } catch (cause) {
    throw unavailable(`the adapter gave no device: ${reasonOf(cause)}`, cause);
  }
}

async function requestAdapter(
  given: GPU | undefined,
  powerPreference: DeviceSource['powerPreference'],
): Promise<GPUAdapter> {
  const gpu = given ?? globalThis.navigator?.gpu;
  if (!gpu)
    throw unavailable(globalThis.navigator === undefined ? 'there is no navigator here' : 'navigator.gpu is absent');
  let adapter: GPUAdapter | null;
  try {
    adapter = await gpu.requestAdapter(powerPreference === undefined ? {} : { powerPreference });
  } catch (cause) {
    // browsers that block a driver throw here
    throw unavailable(`requestAdapter failed: ${reasonOf(cause)}`, cause);
  }
  if (!adapter) throw unavailable('requestAdapter found no adapter');
  return adapter;
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

function unavailable(got: string, cause?: unknown): GradPackError {
  return new GradPackError('GRADPACK-NO-BACKEND', 'WebGPU is not available here', {
    where: 'webgpu',
    expected: 'a GPU adapter',
    got,
    fix: "use a browser with WebGPU on a secure page (https or localhost); in Node pass `gpu: create([])` of the npm package 'webgpu'; or use the native or cpu backend",
    ...(cause === undefined ? {} : { cause }),
  });
}
