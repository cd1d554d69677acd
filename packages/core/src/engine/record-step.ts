import { Recorder } from '../backend/recorder.js';
import { Recording } from '../backend/recording.js';
import type { RecordedBuffer, TensorRef } from '../backend/tensor-ref.js';
import type { Term } from '../derivatives/use.js';
import type { Node } from '../module/tape.js';
import type { AnyRule, FormedQuantity } from '../quantity/quantity.js';
import { findRule } from '../quantity/registry.js';
import { isCurved } from '../signal/curvature.js';
import { gradient as gradientSignal } from '../signal/signals.js';
import { bytesPerElement } from '../tensor/dtype.js';
import { sizeOf } from '../tensor/shape.js';
import { whatIsAsked } from './asked.js';
import { Extraction } from './extraction.js';
import { Graph } from './graph.js';
import { lossSources } from './loss-sources.js';
import type { Plan, PlanRequest, ProductPlan, ProductRequest } from './plan.js';
import { recordProduct } from './products.js';
import { recordLoss } from './record-loss.js';
import { recordPasses } from './record-passes.js';
import { type RecordedResults, recordResults } from './record-results.js';
import { recordInputs } from './recorded-inputs.js';
import { targetsOf } from './targets.js';
import { isTensorRef, leavesOf } from './tree.js';

export interface Strategy {
  /** Most columns that go together; as many as fit in `columnBytes` where that is less. */
  readonly columns: number;
  /** How columns that are born inside the net are carried. */
  readonly inner: 'growing' | 'separate' | 'none';
}

/** Records forward pass, loss, passes and results, and learns what products of the step will read. */
export function recordStep(request: PlanRequest, strategy: Strategy): Plan {
  const { trace, precision, loss, entries } = request;
  const main = new Recording(request);
  const k = new Recorder(precision, main);
  const inputs = recordInputs(trace, k);
  const graph = new Graph({ tape: trace.tape, output: trace.output, k, ...inputs });
  const atLoss = recordLoss(request, graph, k);

  const asked = whatIsAsked(request, graph);
  const { signals, products } = asked;
  const needsGradient = request.gradient || signals.some((signal) => signal.inside) || products.length > 0;
  const sources = lossSources(needsGradient ? [gradientSignal, ...signals] : signals, graph, loss, {
    loss: atLoss.loss,
    output: graph.ref(graph.output),
    k,
    stream: draws(inputs.run, k),
  });
  const targets = targetsOf(asked, request.gradient, sources);
  const trainable = graph.parameters();

  const reached = graph.reach([graph.output]);
  const ruleOf = (quantity: FormedQuantity, { use }: Term): AnyRule | undefined => {
    const node = reached.find((n) =>
      graph.at(n).uses.some((u) => u.parameter === use.parameter && u.kind === use.kind),
    );
    return node && findRule(entries, node.origin ?? node.layer, use.kind, quantity);
  };
  const extraction = new Extraction(graph, targets.of, ruleOf);
  const isReadInside = targets.inside.length > 0;
  // what concatenates columns of a sample has to see them together
  const mayCut = targets.all.every(({ quantity }) => quantity.by !== 'individual' || quantity.combine !== 'concat');
  const { gradients, columns, largest } = recordPasses({
    graph,
    sources: sources.values(),
    columnsThatFit: (nodes) =>
      mayCut ? Math.min(strategy.columns, columnsThatFit(nodes, graph, request)) : strategy.columns,
    inner: isReadInside ? strategy.inner : 'none',
    extract: extraction.extract,
    keepsGradient: (node) => products.includes('hessian') || (isReadInside && isCurved(graph, node)),
  });
  const found = recordResults(asked, targets, extraction, trainable, k);
  if (request.checkFinite) checkFinite(atLoss.value, found, k);
  for (const node of graph.nodes)
    for (const [buffer, value] of graph.at(node).updates ?? []) k.commit(inputs.valueOf(buffer), value);

  const { flag } = k;
  const product = ({ mode, V, tangents, of }: ProductRequest): ProductPlan & { readonly recording: Recording } => {
    const recording = new Recording(request);
    k.recording = recording;
    const moving = new Map(
      tangents.map((parameter) => [parameter, k.external([V, ...parameter.shape], precision, 'input')]),
    );
    const results = recordProduct({ graph, loss: atLoss.loss, gradients, mode, tangents: moving, of });
    return { recording, recorded: recording.finish(new Set()), tangents: moving, results };
  };
  const kept = new Set<RecordedBuffer>();
  for (const mode of products)
    for (const buffer of product({ mode, V: 1, tangents: trainable, of: trainable }).recording.foreign())
      kept.add(buffer);
  k.recording = main;

  return {
    recorded: main.finish(kept),
    ...inputs,
    target: atLoss.target,
    ...(atLoss.scale && { scale: atLoss.scale }),
    loss: atLoss.value,
    ...(flag && { flag }),
    ...found,
    missing: asked.missing,
    columns,
    growingBytes: largest * bytesPerElement(precision),
    product,
    trainable,
    frozen: new Set([...trace.names.keys()].filter((parameter) => !parameter.trainable)),
  };
}

/** Where sampled columns draw from: the step's run, or a constant for each seed of their own. */
function draws(run: TensorRef, k: Recorder): (seed: number | undefined) => { run: TensorRef; stream: number } {
  const seeds = new Map<number, TensorRef>();
  return (seed) => {
    if (seed === undefined) return { run, stream: 1 };
    const constant = seeds.get(seed) ?? k.constant(Int32Array.from([seed, 0]), [2]);
    seeds.set(seed, constant);
    return { run: constant, stream: 1 };
  };
}

function checkFinite(loss: TensorRef, { gradient, results }: RecordedResults, k: Recorder): void {
  k.checkFinite(loss);
  for (const ref of gradient.values()) k.checkFinite(ref);
  for (const values of results.values())
    if (typeof values !== 'string')
      for (const ref of [...values.values()].flatMap((tree) => leavesOf(tree, isTensorRef)))
        if (ref.dtype !== 'int32') k.checkFinite(ref);
}

/** How many columns of the largest value that these nodes pass on fit in `columnBytes`; at least one. */
function columnsThatFit(nodes: readonly Node[], graph: Graph, { columnBytes, precision }: PlanRequest): number {
  const values = nodes.flatMap(({ inputs, outputs }) => [...outputs, ...inputs.filter((value) => graph.wanted(value))]);
  const largest = Math.max(1, ...values.map((value) => sizeOf(value.shape)));
  return Math.max(1, Math.floor(columnBytes / (largest * bytesPerElement(precision))));
}
