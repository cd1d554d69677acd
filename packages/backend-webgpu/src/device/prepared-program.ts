import type { Prepared, Program } from '@gradpack/core';
import type { BoundRange, Dispatch } from '../lowering/dispatch.js';
import type { LoweredProgram } from '../lowering/lower-program.js';
import type { BufferPool } from './buffer-pool.js';
import { BUFFER_USAGE } from './gpu-flags.js';
import type { Pipeline, Pipelines } from './pipelines.js';

/** A program on the device: everything of a run but the memory it is bound to. */
export interface PreparedProgram extends Prepared {
  readonly lowered: LoweredProgram;
  /** By dispatch. */
  readonly pipelines: readonly Pipeline[];
  /** By dispatch: where its parameters start in `parameters`. */
  readonly parameterOffsets: readonly number[];
  readonly parameters: GPUBuffer | undefined;
  readonly tables: GPUBuffer | undefined;
  /** By buffer of the program; undefined where it is not a constant. */
  readonly constants: readonly (GPUBuffer | undefined)[];
  /** By dispatch: the bind group of the last run, which serves again while the buffers are the same. */
  readonly groups: { readonly buffers: readonly GPUBuffer[]; readonly group: GPUBindGroup }[];
  /** Why the program cannot run; undefined while it can. */
  readonly failure: unknown;
  readonly disposed: boolean;
  /** Settles when all pipelines have compiled, undefined once they have. Never rejects: see `failure`. */
  readonly compiling: Promise<void> | undefined;
}

/** Offsets of uniform bindings are multiples of this. */
const PARAMETER_ALIGNMENT = 256;

export function prepareProgram(
  device: GPUDevice,
  program: Program,
  lowered: LoweredProgram,
  pipelines: Pipelines,
  pool: BufferPool,
  onDispose: (free: () => void) => void,
): PreparedProgram {
  const parameterOffsets: number[] = [];
  let parameterBytes = 0;
  for (const { parameters } of lowered.dispatches) {
    parameterOffsets.push(parameterBytes);
    parameterBytes += Math.ceil(parameters.byteLength / PARAMETER_ALIGNMENT) * PARAMETER_ALIGNMENT;
  }
  const packed = new Uint8Array(parameterBytes);
  for (const [index, { parameters }] of lowered.dispatches.entries())
    packed.set(new Uint8Array(parameters), parameterOffsets[index]);
  const parameters =
    parameterBytes === 0
      ? undefined
      : device.createBuffer({
          label: 'gradpack parameters',
          size: parameterBytes,
          usage: BUFFER_USAGE.uniform | BUFFER_USAGE.copyTarget,
        });
  if (parameters) device.queue.writeBuffer(parameters, 0, packed);

  const place = (data: ArrayBufferView<ArrayBuffer>): GPUBuffer => {
    const buffer = pool.take(data.byteLength);
    device.queue.writeBuffer(buffer, 0, data);
    return buffer;
  };
  const tables = lowered.tables.length === 0 ? undefined : place(lowered.tables);
  const constants = program.buffers.map(({ role, data, dtype }) =>
    role === 'constant' && data ? place(dtype === 'int32' ? new Int32Array(data) : new Float32Array(data)) : undefined,
  );

  const made = lowered.dispatches.map(({ shader, kernel }) => pipelines.of(shader, kernel));
  let failure: unknown;
  let disposed = false;
  let compiling: Promise<void> | undefined;
  const missing = [...new Set(made)].filter((pipeline) => !pipeline.ready);
  if (missing.length > 0)
    compiling = Promise.all(missing.map((pipeline) => pipeline.compiled))
      .catch((error: unknown) => {
        failure = error;
      })
      .then(() => {
        compiling = undefined;
      });
  return {
    program,
    lowered,
    pipelines: made,
    parameterOffsets,
    parameters,
    tables,
    constants,
    groups: [],
    get failure() {
      return failure;
    },
    get disposed() {
      return disposed;
    },
    get compiling() {
      return compiling;
    },
    dispose() {
      if (disposed) return;
      disposed = true;
      onDispose(() => {
        parameters?.destroy();
        for (const buffer of [tables, ...constants]) if (buffer) pool.give(buffer);
      });
    },
  };
}

/** The bind group of a dispatch for these buffers, made anew only where they changed since the last run. */
export function bindGroupOf(
  device: GPUDevice,
  prepared: PreparedProgram,
  index: number,
  bufferOf: (range: BoundRange) => GPUBuffer,
): GPUBindGroup {
  const dispatch = prepared.lowered.dispatches[index] as Dispatch;
  const buffers = dispatch.bindings.map(bufferOf);
  const last = prepared.groups[index];
  if (last?.buffers.every((buffer, at) => buffer === buffers[at])) return last.group;
  const group = device.createBindGroup({
    layout: (prepared.pipelines[index] as Pipeline).layout,
    entries: [
      {
        binding: 0,
        resource: {
          buffer: prepared.parameters as GPUBuffer,
          offset: prepared.parameterOffsets[index] as number,
          size: Math.ceil(dispatch.parameters.byteLength / 16) * 16,
        },
      },
      ...dispatch.bindings.map(({ offset, bytes }, at): GPUBindGroupEntry => {
        const buffer = buffers[at] as GPUBuffer;
        return { binding: at + 1, resource: { buffer, offset, size: bytes > 0 ? bytes : buffer.size } };
      }),
    ],
  });
  prepared.groups[index] = { buffers, group };
  return group;
}
