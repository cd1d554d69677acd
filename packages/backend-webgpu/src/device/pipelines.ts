import { GradPackError } from '@gradpack/core';
import type { Access, Shader } from '../lowering/dispatch.js';
import { STAGE_COMPUTE } from './gpu-flags.js';

/** A pipeline that compiles in the background. */
export interface Pipeline {
  readonly layout: GPUBindGroupLayout;
  /** Present once it has compiled. */
  readonly ready: GPUComputePipeline | undefined;
  /** Settles when it has compiled; rejects with a GradPackError. */
  readonly compiled: Promise<void>;
}

/** Pipelines by the text of their shader: equal shaders of all programs share one, also while it compiles. */
export interface Pipelines {
  of(shader: Shader, label: string): Pipeline;
}

export function pipelines(device: GPUDevice): Pipelines {
  const layouts = new Map<string, { readonly group: GPUBindGroupLayout; readonly pipeline: GPUPipelineLayout }>();
  const known = new Map<string, Pipeline>();

  const layoutOf = (
    access: readonly Access[],
  ): { readonly group: GPUBindGroupLayout; readonly pipeline: GPUPipelineLayout } => {
    const key = access.join();
    const cached = layouts.get(key);
    if (cached) return cached;
    const group = device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility: STAGE_COMPUTE, buffer: { type: 'uniform' } },
        ...access.map(
          (a, index): GPUBindGroupLayoutEntry => ({
            binding: index + 1,
            visibility: STAGE_COMPUTE,
            buffer: { type: a === 'read' ? 'read-only-storage' : 'storage' },
          }),
        ),
      ],
    });
    const layout = { group, pipeline: device.createPipelineLayout({ bindGroupLayouts: [group] }) };
    layouts.set(key, layout);
    return layout;
  };

  return {
    of(shader, label) {
      const cached = known.get(shader.code);
      if (cached) return cached;
      const layout = layoutOf(shader.access);
      let ready: GPUComputePipeline | undefined;
      const compiled = compile(device, shader, layout.pipeline, label).then((pipeline) => {
        ready = pipeline;
      });
      // the run that needs it reports the failure
      compiled.catch(() => known.delete(shader.code));
      const pipeline: Pipeline = {
        layout: layout.group,
        compiled,
        get ready() {
          return ready;
        },
      };
      known.set(shader.code, pipeline);
      return pipeline;
    },
  };
}

async function compile(
  device: GPUDevice,
  { code }: Shader,
  layout: GPUPipelineLayout,
  label: string,
): Promise<GPUComputePipeline> {
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ label, code });
  const invalid = device.popErrorScope();
  invalid.catch(() => undefined); // rejects where the device is lost, which the pipeline tells too
  try {
    const pipeline = await device.createComputePipelineAsync({
      label,
      layout,
      compute: { module, entryPoint: 'main' },
    });
    await invalid;
    return pipeline;
  } catch (cause) {
    const { messages } = await module.getCompilationInfo();
    const reason =
      messages.map((m) => `line ${m.lineNum}: ${m.message}`).join('; ') || (await invalid)?.message || String(cause);
    throw new GradPackError('GRADPACK-INTERNAL', 'a kernel did not compile', {
      where: `webgpu kernel ${label}`,
      expected: 'a compute pipeline',
      got: reason,
      fix: 'report this with the adapter, the browser or driver, and detail.wgsl',
      detail: { wgsl: code },
      cause,
    });
  }
}
