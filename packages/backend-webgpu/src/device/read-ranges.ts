import { type Dtype, GradPackError, type TypedArray } from '@gradpack/core';
import type { BufferPool } from './buffer-pool.js';
import { MAP_MODE_READ } from './gpu-flags.js';

export interface DeviceRange {
  readonly buffer: GPUBuffer;
  readonly dtype: Dtype;
  /** In elements. */
  readonly offset: number;
  readonly length: number;
}

/** Submits the copy of the ranges into one staging buffer, and gives their numbers once it is mapped. */
export function readRanges(
  device: GPUDevice,
  ranges: readonly DeviceRange[],
  staging: BufferPool,
): () => Promise<readonly TypedArray[]> {
  const bytes = ranges.reduce((sum, { length }) => sum + length * 4, 0);
  if (bytes === 0) return async () => ranges.map(({ dtype }) => arrayOf(dtype, new ArrayBuffer(0)));
  if (bytes > device.limits.maxBufferSize)
    throw new GradPackError('GRADPACK-OUT-OF-MEMORY', 'one read asks for more than a buffer of this device holds', {
      where: 'webgpu read',
      expected: `at most ${device.limits.maxBufferSize} bytes (maxBufferSize)`,
      got: `${bytes} bytes`,
      fix: 'read fewer tensors at a time',
    });
  const target = staging.take(bytes);
  const encoder = device.createCommandEncoder();
  let at = 0;
  for (const { buffer, offset, length } of ranges) {
    if (length > 0) encoder.copyBufferToBuffer(buffer, offset * 4, target, at, length * 4);
    at += length * 4;
  }
  device.queue.submit([encoder.finish()]);
  const mapped = target.mapAsync(MAP_MODE_READ, 0, bytes);
  return async () => {
    await mapped;
    const all = target.getMappedRange(0, bytes);
    let from = 0;
    const arrays = ranges.map(({ dtype, length }) => {
      const array = arrayOf(dtype, all.slice(from, from + length * 4));
      from += length * 4;
      return array;
    });
    target.unmap();
    staging.give(target);
    return arrays;
  };
}

function arrayOf(dtype: Dtype, bytes: ArrayBuffer): TypedArray {
  return dtype === 'int32' ? new Int32Array(bytes) : new Float32Array(bytes);
}
