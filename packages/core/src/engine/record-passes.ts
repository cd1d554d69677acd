import type { Recorder } from '../backend/recorder.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import type { Maybe } from '../derivatives/linearization.js';
import type { Node } from '../module/tape.js';
import type { Value } from '../module/value.js';
import { curvatureSources, isCurved } from '../signal/curvature.js';
import type { Source } from '../signal/source.js';
import { sizeOf } from '../tensor/shape.js';
import { chunks } from './chunks.js';
import type { Graph } from './graph.js';
import { type PassOptions, type Piece, runPass } from './pass.js';

export interface PassesRequest {
  readonly graph: Graph;
  /** At the loss, the gradient first where `keepsGradient` holds of a node. */
  readonly sources: Iterable<Source>;
  readonly columnsThatFit: PassOptions['columnsThatFit'];
  /** How columns that are born at curved nodes are carried; `none`: nobody reads them. */
  readonly inner: 'growing' | 'separate' | 'none';
  readonly extract: PassOptions['extract'];
  keepsGradient(node: Node): boolean;
}

export interface RecordedPasses {
  /** Gradient columns at the outputs of the nodes that keep them. */
  readonly gradients: ReadonlyMap<Node, readonly Maybe<TensorRef>[]>;
  /** Most columns that went together. */
  readonly columns: number;
  /** Elements of the largest stack of columns of a growing pass. */
  readonly largest: number;
}

/** All columns pulled through the net, those of the loss and those that are born inside. */
export function recordPasses({
  graph,
  sources,
  columnsThatFit,
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
        stacks.map((stack) => (stack && isPart(stack) ? copyOfFirst(k, stack) : stack)),
      );
    return [];
  };
  const whole = (source: Source): Piece => ({ source, from: 0, to: source.V });
  const columnsOf = (pieces: readonly Piece[]): number => pieces.reduce((sum, { from, to }) => sum + to - from, 0);
  const atLoss = [...sources].map(whole);

  if (inner === 'growing') {
    let columns = columnsOf(atLoss);
    let largest = 0;
    runPass(graph, atLoss, {
      extract,
      columnsThatFit: () => Number.POSITIVE_INFINITY,
      inner(node, stacks) {
        remember(node, stacks);
        for (const stack of stacks) largest = Math.max(largest, stack ? sizeOf(stack.shape) : 0);
        const first = stacks.map((stack) => stack && k.rows(stack, 0, 1));
        const born = isCurved(graph, node) ? curvatureSources(graph, node, first) : [];
        columns += columnsOf(born.map(whole));
        return born;
      },
    });
    return { gradients, columns, largest };
  }

  let columns = 1;
  /** In as few passes as the columns fit where they start, however far they go together. */
  const run = (pieces: readonly Piece[], starts: readonly Value[], onFirst?: PassOptions['inner']): void => {
    const nodes = graph.reach(starts);
    const all = columnsOf(pieces);
    const first = nodes.filter(({ outputs }) => outputs.some((value) => starts.includes(value)));
    const together = Math.min(all, columnsThatFit(first));
    columns = Math.max(columns, together);
    chunks(pieces, together).forEach((chunk, i) => {
      runPass(graph, chunk, { extract, columnsThatFit, ...(i === 0 && onFirst && { inner: onFirst }) });
    });
  };
  run(atLoss, [graph.output], remember);
  if (inner === 'separate')
    for (const node of graph.reach([graph.output])) {
      const gradient = isCurved(graph, node) ? gradients.get(node) : undefined;
      if (gradient) run(curvatureSources(graph, node, gradient).map(whole), node.inputs);
    }
  return { gradients, columns, largest: 0 };
}

/** Whether more than one column would live as long as the first. */
function isPart({ buffer, shape: [, ...rest] }: TensorRef): boolean {
  return buffer.length > sizeOf(rest);
}

function copyOfFirst(k: Recorder, stack: TensorRef): TensorRef {
  const [, ...rest] = stack.shape;
  const copy = k.external([1, ...rest], k.precision, 'scratch');
  k.copyInto(copy, k.rows(stack, 0, 1));
  return copy;
}
