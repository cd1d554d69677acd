import { GradPackError } from '../errors/gradpack-error.js';
import { identity } from '../identity.js';
import { requireSameCore } from '../module/core-check.js';
import type { Layer, Mode } from '../module/layer.js';
import type { Module } from '../module/module.js';
import type { Names } from '../module/names.js';
import type { Parameter } from '../module/parameter.js';
import { Tape } from '../module/tape.js';
import type { Value } from '../module/value.js';
import type { Shape } from '../tensor/shape.js';

/** What the caller brings for one input of the net. */
export interface LeafInput {
  readonly shape: Shape;
  /** `host`: float data on the host, which may turn out to be ids; else what it is. */
  readonly dtype: 'host' | 'float' | 'int32';
}

export interface Leaf {
  readonly value: Value;
  readonly dtype: 'float' | 'int32';
  /** ids must be in [0, bound) */
  readonly bound?: number;
  /** Whether that was checked before the run. */
  readonly checked: boolean;
}

/** One forward pass on shapes. */
export interface Trace {
  readonly tape: Tape;
  readonly leaves: readonly Leaf[];
  readonly output: Value;
  readonly names: ReadonlyMap<Parameter, string>;
}

export interface TraceOptions {
  readonly names: Names;
  readonly mode: Mode;
  readonly expands: (layer: Layer) => boolean;
}

/** Runs `forward()` on values without numbers. */
export function traceForward(
  model: Module,
  inputs: readonly LeafInput[],
  { names, mode, expands }: TraceOptions,
): Trace {
  const nameOf = (layer: Layer): string => {
    const name = names.layers.get(layer);
    return name ? `${name} (${layer.kind})` : layer.kind;
  };
  const requireName = (layer: Layer): void => {
    if (names.layers.has(layer) || (layer.key !== undefined && layer.uses.length === 0)) return;
    throw new GradPackError('GRADPACK-UNNAMED-LAYER', `forward() calls a ${layer.kind} layer that has no name`, {
      where: `${layer.kind}.forward`,
      expected: 'layers in public fields or arrays of a module, from which names such as `body.0.weight` come',
      got: `a ${layer.kind} layer that is reachable only through a private field, a closure, or was made inside forward()`,
      fix: 'keep the layer in a public field of the module (`readonly fc = linear(2, 2)`, not `#fc`)',
    });
  };
  const tape = new Tape({ mode, expands, nameOf, requireName });
  const values = inputs.map(({ shape, dtype }) => tape.leaf(shape, dtype === 'int32' ? 'int32' : 'float'));
  const output = model.forward(...values);
  requireSameCore(output, 'model.forward');
  if (output.tape !== tape || output.shape[0] !== inputs[0]?.shape[0])
    throw new GradPackError('GRADPACK-SHAPE', 'forward() must return one value of this pass, the batch first', {
      where: 'model.forward',
      expected: `a value of shape [${inputs[0]?.shape[0]}, ...]`,
      got: output.tape === tape ? `[${output.shape.join(', ')}]` : 'a value of an earlier pass',
      fix: 'return the value that goes to the loss',
    });
  const leaves = values.map((value, i): Leaf => {
    const consumers = tape.nodes.flatMap((node) => (node.inputs[0] === value ? [node.layer] : []));
    const elsewhere = tape.nodes.some((node) => node.inputs.slice(1).includes(value));
    const takesIds = consumers.filter((layer) => layer.accepts === 'int32');
    const given = inputs[i]?.dtype;
    const isIds = takesIds.length > 0;
    if (isIds && (elsewhere || takesIds.length < consumers.length || given === 'float'))
      throw new GradPackError(
        'GRADPACK-DTYPE',
        `input ${i} is used as ids by ${takesIds.map((layer) => layer.kind).join(', ')}`,
        {
          where: 'net.backward',
          expected: given === 'float' ? 'an int32 tensor' : 'ids that feed only layers that take ids',
          got: given === 'float' ? 'a float tensor' : 'an input that also feeds layers that take floats',
          fix: 'make the tensor from an Int32Array, and give ids and features as two inputs',
        },
      );
    const bounds = takesIds.flatMap((layer) => layer.idBound ?? []);
    return {
      value,
      dtype: isIds || given === 'int32' ? 'int32' : 'float',
      ...(bounds.length > 0 && { bound: Math.min(...bounds) }),
      checked: true,
    };
  });
  return { tape, leaves, output, names: names.parameters };
}

/** Equal for forward passes that record the same program. */
export function traceKey({ tape, leaves, output, names }: Trace): string {
  const numbers = new Map<Value, string>(
    leaves.map(({ value, dtype, checked }, i) => [value, `i${i}:${dtype}${checked ? '' : '?'}[${value.shape}]`]),
  );
  let key = '';
  for (const { layer, mode, inputs, outputs, id, origin } of tape.nodes) {
    outputs.forEach((value, i) => {
      numbers.set(value, `${id}.${i}`);
    });
    key += `${layer.key ?? `#${identity(layer)}`}${mode === 'train' ? '' : '~'}${origin ? `<${identity(origin)}` : ''}(${inputs.map((value) => numbers.get(value)).join(',')});`;
  }
  key += `${numbers.get(output)};`;
  for (const [parameter] of names) key += `${identity(parameter)}${parameter.trainable ? '' : '-'},`;
  return key;
}
