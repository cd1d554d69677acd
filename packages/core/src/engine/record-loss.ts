import type { Recorder } from '../backend/recorder.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import { GradPackError } from '../errors/gradpack-error.js';
import type { BoundLoss } from '../loss/loss.js';
import { showShape } from '../tensor/shape.js';
import type { Graph } from './graph.js';
import type { PlanRequest } from './plan.js';
import { scaledLoss } from './products.js';

/** A loss at the net's output. */
export interface RecordedLoss {
  readonly loss: BoundLoss;
  /** As it is bound. */
  readonly target: TensorRef;
  /** Of `scaleLoss`: the factor and the root of its magnitude, bound per run. */
  readonly scale?: { readonly value: TensorRef; readonly root: TensorRef };
  /** [] */
  readonly value: TensorRef;
}

/** Throws GRADPACK-LOSS-NOT-SCALAR. */
export function recordLoss({ loss, target: given }: PlanRequest, graph: Graph, k: Recorder): RecordedLoss {
  const output = graph.ref(graph.output);
  const target = k.external(given.shape, given.dtype === 'int32' ? 'int32' : k.precision, 'input');
  const { bound } = loss.target(graph.output.shape);
  const plain = loss.bind(output, bound !== undefined && !given.checked ? k.clampIndices(target, bound) : target, k);
  const scale =
    loss.scale === undefined
      ? undefined
      : { value: k.external([], k.precision, 'scalar'), root: k.external([], k.precision, 'scalar') };
  const scaled = scale ? scaledLoss(plain, scale, k) : plain;
  const value = scaled.value();
  if (value.shape.length > 0)
    throw new GradPackError('GRADPACK-LOSS-NOT-SCALAR', `${loss.kind} does not reduce to one number`, {
      where: 'net.backward',
      expected: 'a scalar loss: reduction mean or sum',
      got: `a loss of shape ${showShape(value.shape)}`,
      fix: "pass { reduction: 'mean' } or { reduction: 'sum' } to the loss",
    });
  return { loss: scaled, target, ...(scale && { scale }), value: k.promote(value) };
}
