import type { Recorder } from '../backend/recorder.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import type { Maybe } from '../derivatives/linearization.js';
import type { Node } from '../module/tape.js';
import { curvatureSources, isCurved } from '../signal/curvature.js';
import type { Source } from '../signal/source.js';
import { chunks } from './chunks.js';
import type { Graph } from './graph.js';
import { type PassOptions, type Piece, runPass } from './pass.js';

export interface PassesRequest {
  readonly graph: Graph;
  /** At the loss, the gradient first where `keepsGradient` holds of a node. */
  readonly sources: Iterable<Source>;
  /** Columns of one pass. */
  readonly columns: number;
  /** How columns that are born at curved nodes are carried; `none`: nobody reads them. */
  readonly inner: 'growing' | 'separate' | 'none';
  readonly extract: PassOptions['extract'];
  keepsGradient(node: Node): boolean;
}

export interface RecordedPasses {
  /** Gradient columns at the outputs of the nodes that keep them. */
  readonly gradients: ReadonlyMap<Node, readonly Maybe<TensorRef>[]>;
  /** Columns of the widest source. */
  readonly widest: number;
}

/** All columns pulled through the net, those of the loss and those that are born inside. */
export function recordPasses({
  graph,
  sources,
  columns,
  inner,
  extract,
  keepsGradient,
}: PassesRequest): RecordedPasses {
  const { k } = graph;
  const gradients = new Map<Node, readonly Maybe<TensorRef>[]>();
  const remember = (node: Node, stacks: readonly Maybe<TensorRef>[]): readonly Source[] => {
    // a view would keep the whole stack alive
    if (keepsGradient(node))
      gradients.set(
        node,
        stacks.map((stack) => (stack && (stack.shape[0] as number) > 1 ? copyOfFirst(k, stack) : stack)),
      );
    return [];
  };
  const whole = (source: Source): Piece => ({ source, from: 0, to: source.V });
  const atLoss = [...sources].map(whole);
  let widest = atLoss.reduce((most, { to }) => Math.max(most, to), 1);

  if (inner === 'growing') {
    runPass(graph, atLoss, {
      extract,
      inner(node, stacks) {
        remember(node, stacks);
        const first = stacks.map((stack) => stack && k.rows(stack, 0, 1));
        return isCurved(graph, node) ? curvatureSources(graph, node, first) : [];
      },
    });
    return { gradients, widest };
  }
  chunks(atLoss, columns).forEach((pieces, i) => {
    runPass(graph, pieces, i === 0 ? { extract, inner: remember } : { extract });
  });
  if (inner === 'separate')
    for (const node of graph.reach([graph.output])) {
      const gradient = isCurved(graph, node) ? gradients.get(node) : undefined;
      if (!gradient) continue;
      const born = curvatureSources(graph, node, gradient).map(whole);
      widest = born.reduce((most, { to }) => Math.max(most, to), widest);
      for (const pieces of chunks(born, columns)) runPass(graph, pieces, { extract });
    }
  return { gradients, widest };
}

function copyOfFirst(k: Recorder, stack: TensorRef): TensorRef {
  const [, ...rest] = stack.shape;
  const copy = k.external([1, ...rest], k.precision, 'scratch');
  k.copyInto(copy, k.rows(stack, 0, 1));
  return copy;
}
