import { input, mul } from '../backend/expression.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import type { Maybe } from '../derivatives/linearization.js';
import type { Term } from '../derivatives/use.js';
import type { BoundLoss } from '../loss/loss.js';
import type { Parameter } from '../module/parameter.js';
import type { Node } from '../module/tape.js';
import type { Value } from '../module/value.js';
import type { ProductMode } from '../quantity/quantity.js';
import { sizeOf } from '../tensor/shape.js';
import type { Graph } from './graph.js';
import { assemble } from './stack.js';

export interface ProductInputs {
  readonly graph: Graph;
  readonly loss: BoundLoss;
  /** Gradient columns [1, N, ...output] at each node's outputs. */
  readonly gradients: ReadonlyMap<Node, readonly Maybe<TensorRef>[]>;
  readonly mode: ProductMode;
  /** [V, ...θ] */
  readonly tangents: ReadonlyMap<Parameter, TensorRef>;
  readonly of: readonly Parameter[];
}

/**
 * Curvature times vectors, forward over reverse: tangents go forward, the loss Hessian is applied, and
 * `pull(δ̇) + pullTangent(δ)` comes back (the Gauss-Newton product drops the second part). Gives [V, ...θ] per parameter of `of`.
 */
export function recordProduct({
  graph,
  loss,
  gradients,
  mode,
  tangents,
  of,
}: ProductInputs): ReadonlyMap<Parameter, TensorRef> {
  const { k } = graph;
  const [some] = tangents.values();
  const V = some?.shape[0] ?? 1;
  const forward = new Map<Value, TensorRef>();
  const moving = (node: Node): readonly Maybe<TensorRef>[] => node.inputs.map((value) => forward.get(value));
  const moves = (node: Node): boolean =>
    moving(node).some(Boolean) || graph.at(node).uses.some((use) => tangents.has(use.parameter));
  for (const node of graph.nodes) {
    const { push } = graph.at(node);
    if (!push || !moves(node)) continue;
    push(moving(node), tangents).forEach((tangent, i) => {
      if (tangent) forward.set(node.outputs[i] as Value, tangent);
    });
  }

  const terms = new Map<Parameter, Term[]>(of.map((parameter) => [parameter, []]));
  const back = new Map<Value, TensorRef[]>();
  const take = (
    node: Node,
    { inputs, terms: found }: { readonly inputs: readonly Maybe<TensorRef>[]; readonly terms: readonly Term[] },
  ): void => {
    inputs.forEach((columns, i) => {
      const value = node.inputs[i] as Value;
      if (columns && graph.wanted(value)) back.set(value, [...(back.get(value) ?? []), columns]);
    });
    for (const term of found) terms.get(term.use.parameter)?.push(term);
  };
  const atOutput = forward.get(graph.output);
  if (atOutput) back.set(graph.output, [loss.hessianProduct(atOutput)]);
  for (const node of graph.reach([graph.output])) {
    const { uses, pull, pullTangent } = graph.at(node);
    const want = {
      inputs: node.inputs.map((value) => graph.wanted(value)),
      uses: uses.map((use) => terms.has(use.parameter)),
    };
    const columns = node.outputs.map((value) => {
      const arrived = back.get(value);
      back.delete(value);
      return (
        arrived &&
        assemble(
          arrived.map((t) => ({ at: 0, columns: t })),
          k,
        )
      );
    });
    if (columns.some(Boolean)) take(node, pull(columns, want));
    const gradient = gradients.get(node);
    if (mode === 'hessian' && pullTangent && gradient && moves(node))
      take(node, pullTangent(gradient, moving(node), tangents, want));
  }

  const results = new Map<Parameter, TensorRef>();
  for (const parameter of of) {
    const into = k.external([V, ...parameter.shape], k.precision, 'result');
    const found = terms.get(parameter) ?? [];
    const theta = sizeOf(parameter.shape);
    if (found.length === 0) k.fillInto(into, 0);
    else k.outer(found, [{ form: 'plain', from: 0, to: V, into, strides: { v: theta, n: 0 }, accumulate: false }]);
    results.set(parameter, into);
  }
  return results;
}

/** A loss with value, gradient and Hessian multiplied by a scalar bound per run; factors get the root of its magnitude. */
export function scaledLoss(
  loss: BoundLoss,
  scale: { readonly value: TensorRef; readonly root: TensorRef },
  k: Graph['k'],
): BoundLoss {
  const by = (x: TensorRef, factor: TensorRef): TensorRef => k.map(mul(input(0), input(1)), [x, factor]);
  const { sampledFactor } = loss;
  return {
    value: () => by(loss.value(), scale.value),
    gradient: () => by(loss.gradient(), scale.value),
    exactFactor: (form, range) => by(loss.exactFactor(form, range), scale.root),
    ...(sampledFactor && {
      sampledFactor: (samples, draws, range) => by(sampledFactor(samples, draws, range), scale.root),
    }),
    hessianProduct: (tangents) => by(loss.hessianProduct(tangents), scale.value),
  };
}
