import { type Dtype, GradPackError } from '@gradpack/core';

export function assertFloat32(dtype: Dtype, where: string): void {
  if (dtype === 'float64')
    throw new GradPackError('GRADPACK-DTYPE', 'webgpu has no float64', {
      where,
      expected: 'float32 or int32',
      got: dtype,
      fix: 'use float32, or the cpu or native backend for float64',
    });
}

export function assertBufferSize(device: GPUDevice, bytes: number, where: string): void {
  const { maxBufferSize } = device.limits;
  if (!(bytes <= maxBufferSize))
    throw outOfMemory(
      'a tensor is larger than a buffer of this device',
      where,
      `at most ${maxBufferSize} bytes (maxBufferSize)`,
      bytes,
    );
}

export function outOfMemory(
  what: string,
  where: string,
  expected: string,
  bytes: number | undefined,
  error?: GPUError,
): GradPackError {
  return new GradPackError('GRADPACK-OUT-OF-MEMORY', what, {
    where,
    expected,
    got: [...(bytes === undefined ? [] : [`${bytes} bytes`]), ...(error ? [error.message] : [])].join(': '),
    fix: 'use a smaller batch or a smaller memoryLimit, or the cpu or native backend',
  });
}

export function disposed(where: string): GradPackError {
  return new GradPackError('GRADPACK-DISPOSED', 'the webgpu backend was disposed', {
    where,
    fix: 'make a new backend with webgpu()',
  });
}

export function lost(where: string, reason: string): GradPackError {
  return new GradPackError('GRADPACK-BACKEND-LOST', 'the GPU device is gone', {
    where,
    expected: 'a device that works',
    got: `a lost device: ${reason}`,
    fix: 'make a new backend with webgpu() and move the model to it from a state dict',
  });
}
