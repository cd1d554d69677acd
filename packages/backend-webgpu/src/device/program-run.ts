import type { RunOptions } from '@gradpack/core';
import { type BoundRange, type Dispatch, TABLES, WORKGROUP } from '../lowering/dispatch.js';
import type { BufferPool } from './buffer-pool.js';
import type { Pipeline } from './pipelines.js';
import { bindGroupOf, type PreparedProgram } from './prepared-program.js';

/** Dispatches a submit: bounds how long a device works without a pause, and how far it works on after an abort. */
const DISPATCHES_PER_SUBMIT = 64;

/** Submits that may be under way when a run can be aborted or reports progress. */
const SUBMITS_UNDER_WAY = 2;

export interface ProgramRun {
  readonly prepared: PreparedProgram;
  /** By buffer of the program; undefined for scratch and constants. */
  readonly bound: readonly (GPUBuffer | undefined)[];
  readonly options: RunOptions;
}

/**
 * Submits a program's dispatches in order. Scratch comes from the pool and goes back once all is submitted. Returns at once, except
 * where the caller wants to abort or to see progress: then it waits for the device between submits. Rejects with `abort.reason`.
 */
export function submitProgram(
  device: GPUDevice,
  { prepared, bound, options }: ProgramRun,
  pool: BufferPool,
  submit: (encode: () => GPUCommandBuffer) => void,
): void | Promise<void> {
  const { lowered, program } = prepared;
  const slots = program.slots.map(({ length }) => pool.take(length * 4));
  const temporarySlots = lowered.temporarySlots.map((length) => pool.take(length * 4));
  const giveBack = (): void => {
    for (const buffer of [...slots, ...temporarySlots]) pool.give(buffer);
  };

  const buffers = program.buffers.map((buffer, index) =>
    buffer.slot === undefined ? (prepared.constants[index] ?? bound[index]) : slots[buffer.slot],
  );
  const temporaries = lowered.temporaries.map((slot) => temporarySlots[slot]);
  const bufferOf = ({ buffer }: Pick<BoundRange, 'buffer'>): GPUBuffer =>
    (buffer === TABLES ? prepared.tables : (buffers[buffer] ?? temporaries[buffer - buffers.length])) as GPUBuffer;

  const encode = (first: number, last: number): GPUCommandBuffer => {
    const encoder = device.createCommandEncoder();
    let pass: GPUComputePassEncoder | undefined;
    for (let index = first; index < last; index++) {
      const { copies, invocations } = lowered.dispatches[index] as Dispatch;
      if (copies.length > 0) {
        pass?.end();
        pass = undefined;
        for (const { from, to, at, bytes } of copies)
          encoder.copyBufferToBuffer(bufferOf({ buffer: from }), 0, bufferOf({ buffer: to }), at, bytes);
      }
      pass ??= encoder.beginComputePass();
      pass.setPipeline((prepared.pipelines[index] as Pipeline).ready as GPUComputePipeline);
      pass.setBindGroup(0, bindGroupOf(device, prepared, index, bufferOf));
      const [x, y] = grid(Math.ceil(invocations / WORKGROUP), device.limits.maxComputeWorkgroupsPerDimension);
      pass.dispatchWorkgroups(x, y);
    }
    pass?.end();
    return encoder.finish();
  };

  const count = lowered.dispatches.length;
  const starts = Array.from({ length: Math.ceil(count / DISPATCHES_PER_SUBMIT) }, (_, i) => i * DISPATCHES_PER_SUBMIT);
  const endOf = (start: number): number => Math.min(start + DISPATCHES_PER_SUBMIT, count);
  const { abort, onProgress } = options;
  if (!abort && !onProgress) {
    try {
      for (const start of starts) submit(() => encode(start, endOf(start)));
    } finally {
      giveBack();
    }
    return;
  }

  const step = async (): Promise<void> => {
    const underWay: Promise<void>[] = [];
    const finishOne = async (): Promise<void> => {
      await underWay.shift();
    };
    const total = program.calls.length;
    try {
      for (const start of starts) {
        if (underWay.length >= SUBMITS_UNDER_WAY) await finishOne();
        abort?.throwIfAborted();
        submit(() => encode(start, endOf(start)));
        const done = endOf(start) === count ? total : (lowered.dispatches[endOf(start)] as Dispatch).call;
        const worked = device.queue.onSubmittedWorkDone().then(() => onProgress?.(done, total));
        worked.catch(() => undefined); // what is not awaited because an earlier one failed
        underWay.push(worked);
      }
      while (underWay.length > 0) await finishOne();
    } finally {
      giveBack();
    }
  };
  return step();
}

/** Workgroups as a grid of two axes, each within the device's limit. */
function grid(groups: number, limit: number): readonly [x: number, y: number] {
  if (groups <= limit) return [groups, 1];
  const y = Math.ceil(groups / limit);
  return [Math.ceil(groups / y), y];
}
