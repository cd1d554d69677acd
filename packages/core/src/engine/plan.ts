import { Recorder } from '../backend/recorder.js';
import { type Recorded, Recording } from '../backend/recording.js';
import type { RecordedBuffer, TensorRef } from '../backend/tensor-ref.js';
import type { Maybe } from '../derivatives/linearization.js';
import type { Term } from '../derivatives/use.js';
import { GradPackError } from '../errors/gradpack-error.js';
import type { BoundLoss, Loss } from '../loss/loss.js';
import type { Parameter } from '../module/parameter.js';
import type { Node } from '../module/tape.js';
import type { AnyRule, FormedQuantity, ProductMode } from '../quantity/quantity.js';
import { findRule, type RuleEntry } from '../quantity/registry.js';
import { curvatureSources, isCurved } from '../signal/curvature.js';
import type { Signal } from '../signal/signal.js';
import { gradient as gradientSignal } from '../signal/signals.js';
import type { Source } from '../signal/source.js';
import { bytesPerElement, type Dtype, type Precision } from '../tensor/dtype.js';
import { type Shape, showShape, sizeOf } from '../tensor/shape.js';
import { chunks } from './chunks.js';
import { Extraction, type Target } from './extraction.js';
import { Graph } from './graph.js';
import { lossSources } from './loss-sources.js';
import { type MissingPair, missingPairs } from './missing.js';
import { type Piece, runPass } from './pass.js';
import { tooLarge, unsupported } from './plan-errors.js';
import { recordProduct, scaledLoss } from './products.js';
import { type RecordedInputs, recordInputs } from './recorded-inputs.js';
import type { Trace } from './trace.js';
import { isTensorRef, leavesOf, mapLeaves } from './tree.js';

export interface PlanRequest {
  readonly trace: Trace;
  readonly loss: Loss;
  readonly target: { readonly shape: Shape; readonly dtype: Dtype; readonly checked: boolean };
  readonly gradient: boolean;
  readonly quantities: Readonly<Record<string, FormedQuantity>>;
  readonly entries: ReadonlyMap<string, RuleEntry>;
  readonly precision: Precision;
  /** Bytes of the largest column tensor. */
  readonly columnBytes: number;
  readonly tensorBytes: number;
  readonly memoryLimit: number;
  readonly onMissing: 'error' | 'skip';
  readonly checkFinite: boolean;
  /** Forces at most this many columns in one pass. */
  readonly columns?: number;
  /** Forces how columns that are born inside are carried. */
  readonly inner?: 'growing' | 'separate';
}

/** What a run of a plan must be given, and what it gives back: buffers of the recording by meaning. */
export interface Plan extends RecordedInputs {
  readonly recorded: Recorded;
  readonly target: TensorRef;
  readonly scale?: { readonly value: TensorRef; readonly root: TensorRef };
  readonly loss: TensorRef;
  readonly flag?: TensorRef;
  readonly gradient: ReadonlyMap<Parameter, TensorRef>;
  /** By the caller's name: a value per parameter with TensorRefs, or a product. */
  readonly results: ReadonlyMap<string, ReadonlyMap<Parameter, unknown> | ProductMode>;
  readonly missing: readonly MissingPair[];
  /** Columns per pass, and how inner columns were carried. */
  readonly columns: number;
  readonly inner: 'growing' | 'separate' | 'none';
  product(request: ProductRequest): ProductPlan;
  /** The trainable parameters that the output depends on. */
  readonly trainable: readonly Parameter[];
  /** The parameters of the net that are frozen. */
  readonly frozen: ReadonlySet<Parameter>;
}

export interface ProductRequest {
  readonly mode: ProductMode;
  readonly V: number;
  readonly tangents: readonly Parameter[];
  readonly of: readonly Parameter[];
}
export interface ProductPlan {
  readonly recorded: Recorded;
  readonly tangents: ReadonlyMap<Parameter, TensorRef>;
  readonly results: ReadonlyMap<Parameter, TensorRef>;
}

/** Records the step, with smaller chunks of columns until it fits in `memoryLimit`. Throws GRADPACK-UNSUPPORTED-PAIR, GRADPACK-OUT-OF-MEMORY. */
export function makePlan(request: PlanRequest): Plan {
  const curved = Object.values(request.quantities)
    .flatMap(signalsOf)
    .some((signal) => signal.inside);
  const growing = request.inner !== 'separate' && request.columns === undefined && curved;
  let best: Plan | undefined;
  const fits = (plan: Plan): boolean => {
    best = plan;
    const { buffers, bytes } = plan.recorded.program;
    const largest = buffers.reduce((most, { length, dtype }) => Math.max(most, length * bytesPerElement(dtype)), 0);
    return bytes.scratch + bytes.kept + bytes.results <= request.memoryLimit && largest <= request.tensorBytes;
  };
  if (growing) {
    const plan = record(request, { columns: Number.POSITIVE_INFINITY, inner: 'growing' });
    if (fits(plan)) return plan;
    if (request.inner === 'growing') throw tooLarge(request, plan);
  }
  for (let columns = request.columns; ; columns = Math.ceil(columns / 2)) {
    const plan = record(request, { columns, inner: curved ? 'separate' : 'none' });
    if (fits(plan)) return plan;
    columns = plan.columns;
    if (columns === 1 || request.columns !== undefined) break;
  }
  throw tooLarge(request, best as Plan);
}

interface Strategy {
  readonly columns: number | undefined;
  readonly inner: 'growing' | 'separate' | 'none';
}

function record(request: PlanRequest, strategy: Strategy): Plan {
  const { trace, precision, loss, quantities } = request;
  const main = new Recording();
  const k = new Recorder(precision, main);
  const inputs = recordInputs(trace, k);
  const { run } = inputs;
  const graph = new Graph({ tape: trace.tape, output: trace.output, k, ...inputs });

  // ── the loss
  const outputRef = graph.ref(graph.output);
  const target = k.external(request.target.shape, request.target.dtype === 'int32' ? 'int32' : precision, 'input');
  const { bound } = loss.target(graph.output.shape);
  const labels = bound !== undefined && !request.target.checked ? k.clampIndices(target, bound) : target;
  const plain = loss.bind(outputRef, labels, k);
  const scale =
    loss.scale === undefined
      ? undefined
      : { value: k.external([], precision, 'scalar'), root: k.external([], precision, 'scalar') };
  const atLoss: BoundLoss = scale ? scaledLoss(plain, scale, k) : plain;
  const value = atLoss.value();
  if (value.shape.length > 0)
    throw new GradPackError('GRADPACK-LOSS-NOT-SCALAR', `${loss.kind} does not reduce to one number`, {
      where: 'net.backward',
      expected: 'a scalar loss: reduction mean or sum',
      got: `a loss of shape ${showShape(value.shape)}`,
      fix: "pass { reduction: 'mean' } or { reduction: 'sum' } to the loss",
    });
  const lossRef = k.promote(value);

  // ── what is missing
  const nameOf = (parameter: Parameter): string => trace.names.get(parameter) ?? 'a parameter';
  const context = { graph, loss, entries: request.entries, nameOf };
  const wanted = Object.entries(quantities);
  const known = new Map<FormedQuantity, readonly MissingPair[]>();
  const missingOf = (quantity: FormedQuantity): readonly MissingPair[] => {
    const pairs = known.get(quantity) ?? missingPairs(quantity, context);
    known.set(quantity, pairs);
    return pairs;
  };
  const missing = wanted.flatMap(([, quantity]) => missingOf(quantity));
  if (missing.length > 0 && request.onMissing === 'error') throw unsupported(missing);
  const trainable = graph.parameters();
  const leftOut = (quantity: FormedQuantity): boolean =>
    missingOf(quantity).some((pair) => pair.parameter === undefined);

  // ── targets and sources
  const targets = new Map<string, Target>();
  const addTarget = (quantity: FormedQuantity, V: (signal: Signal) => number): void => {
    if (quantity.by === 'product') return;
    if (quantity.by === 'derived') {
      for (const part of Object.values(quantity.from)) addTarget(part, V);
      return;
    }
    const skips = new Set(missingOf(quantity).flatMap((pair) => pair.parameter ?? []));
    if (!targets.has(quantity.key))
      targets.set(quantity.key, { quantity, V: V(quantity.signal), results: new Map(), skips });
  };
  const asked = wanted.filter(([, quantity]) => !leftOut(quantity));
  const productModes = [
    ...new Set(asked.flatMap(([, quantity]) => (quantity.by === 'product' ? [quantity.mode] : []))),
  ];
  const signals = asked.flatMap(([, quantity]) => signalsOf(quantity));
  const needsGradient = request.gradient || signals.some((signal) => signal.inside) || productModes.length > 0;
  const seeds = new Map<number, TensorRef>();
  const stream = (seed: number | undefined): { run: TensorRef; stream: number } => {
    if (seed === undefined) return { run, stream: 1 };
    const constant = seeds.get(seed) ?? k.constant(Int32Array.from([seed, 0]), [2]);
    seeds.set(seed, constant);
    return { run: constant, stream: 1 };
  };
  const sources = lossSources(needsGradient ? [gradientSignal, ...signals] : signals, graph, loss, {
    loss: atLoss,
    output: outputRef,
    k,
    stream,
  });
  for (const [, quantity] of asked) addTarget(quantity, (signal) => (sources.get(signal.key) as Source).V);
  const gradientTarget: Target = { quantity: GRADIENT, V: 1, results: new Map(), skips: new Set() };

  const consumers = new Map<Source, readonly Target[]>();
  const all = [...targets.values()];
  for (const [key, source] of sources) {
    const own = all.filter(({ quantity }) => quantity.signal.key === key);
    consumers.set(source, key === gradientSignal.key && request.gradient ? [gradientTarget, ...own] : own);
  }
  const inside = all.filter(({ quantity }) => quantity.signal.inside);

  // ── passes
  const reached = graph.reach([graph.output]);
  const ruleOf = (quantity: FormedQuantity, { use }: Term): AnyRule | undefined => {
    const node = reached.find((n) =>
      graph.at(n).uses.some((u) => u.parameter === use.parameter && u.kind === use.kind),
    );
    return node && findRule(request.entries, node.origin ?? node.layer, use.kind, quantity);
  };
  const extraction = new Extraction(graph, (source) => consumers.get(source) ?? inside, ruleOf);
  const gradients = new Map<Node, readonly Maybe<TensorRef>[]>();
  const keepsGradient = (node: Node): boolean =>
    productModes.includes('hessian') || (inside.length > 0 && isCurved(graph, node));
  const gradientOf = (columns: readonly Maybe<TensorRef>[]): readonly Maybe<TensorRef>[] =>
    columns.map((stack) => stack && k.rows(stack, 0, 1));
  const remember = (node: Node, columns: readonly Maybe<TensorRef>[]): readonly Source[] => {
    if (!keepsGradient(node)) return [];
    // a view would keep the whole stack alive
    gradients.set(
      node,
      columns.map((stack) => (stack && (stack.shape[0] as number) > 1 ? copyOfFirst(k, stack) : stack)),
    );
    return [];
  };
  const columns = strategy.columns ?? columnsThatFit(reached, request);
  const allPieces = [...sources.values()].map((source): Piece => ({ source, from: 0, to: source.V }));
  let widest = allPieces.reduce((most, { to }) => Math.max(most, to), 1);
  if (strategy.inner === 'growing') {
    runPass(graph, allPieces, {
      extract: extraction.extract,
      inner: (node, stacks) => {
        remember(node, stacks);
        return inside.length > 0 && isCurved(graph, node) ? curvatureSources(graph, node, gradientOf(stacks)) : [];
      },
    });
  } else {
    chunks(allPieces, columns).forEach((pieces, i) => {
      const first = i === 0 && needsGradient;
      runPass(graph, pieces, {
        extract: extraction.extract,
        ...(first && { inner: remember }),
      });
    });
    if (inside.length > 0)
      for (const node of reached) {
        const gradient = isCurved(graph, node) ? gradients.get(node) : undefined;
        if (!gradient) continue;
        const born = curvatureSources(graph, node, gradient).map(
          (source): Piece => ({ source, from: 0, to: source.V }),
        );
        widest = born.reduce((most, { to }) => Math.max(most, to), widest);
        for (const pieces of chunks(born, columns)) runPass(graph, pieces, { extract: extraction.extract });
      }
  }
  for (const target of [gradientTarget, ...all])
    if (target !== gradientTarget || request.gradient) extraction.finish(target, trainable);

  // ── results
  const promote = (tree: unknown): unknown => mapLeaves(tree, isTensorRef, (x) => k.promote(x));
  const valuesOf = (quantity: FormedQuantity): ReadonlyMap<Parameter, unknown> => {
    if (quantity.by === 'product') return new Map();
    if (quantity.by !== 'derived') return (targets.get(quantity.key) as Target).results;
    const parts = Object.entries(quantity.from).map(([name, part]) => [name, valuesOf(part)] as const);
    const common = trainable.filter((parameter) => parts.every(([, values]) => values.has(parameter)));
    const compute = quantity.compute as (parts: Readonly<Record<string, unknown>>, c: unknown) => unknown;
    return new Map(
      common.map((parameter) => [
        parameter,
        compute(
          Object.fromEntries(parts.map(([name, values]) => [name, values.get(parameter)])),
          extraction.contextOf(parameter),
        ),
      ]),
    );
  };
  const inOrder = (values: ReadonlyMap<Parameter, unknown>): ReadonlyMap<Parameter, unknown> =>
    new Map(
      trainable.flatMap((parameter) =>
        values.has(parameter) ? [[parameter, promote(values.get(parameter))] as const] : [],
      ),
    );
  const results = new Map(
    asked.map(
      ([name, quantity]) => [name, quantity.by === 'product' ? quantity.mode : inOrder(valuesOf(quantity))] as const,
    ),
  );
  const gradient = inOrder(gradientTarget.results) as ReadonlyMap<Parameter, TensorRef>;
  if (request.checkFinite) {
    k.checkFinite(lossRef);
    for (const ref of gradient.values()) k.checkFinite(ref);
    for (const values of results.values())
      if (typeof values !== 'string')
        for (const ref of [...values.values()].flatMap((tree) => leavesOf(tree, isTensorRef)))
          if (ref.dtype !== 'int32') k.checkFinite(ref);
  }

  for (const node of graph.nodes)
    for (const [buffer, value] of graph.at(node).updates ?? []) k.commit(inputs.valueOf(buffer), value);

  // ── products: recorded once to learn what the step has to keep for them
  const { flag } = k;
  const product = ({ mode, V, tangents, of }: ProductRequest): ProductPlan & { readonly recording: Recording } => {
    const recording = new Recording();
    k.recording = recording;
    const moving = new Map(
      tangents.map((parameter) => [parameter, k.external([V, ...parameter.shape], precision, 'input')]),
    );
    const made = recordProduct({ graph, loss: atLoss, gradients, mode, tangents: moving, of });
    return { recording, recorded: recording.finish(new Set()), tangents: moving, results: made };
  };
  const kept = new Set<RecordedBuffer>();
  for (const mode of productModes)
    for (const buffer of product({ mode, V: 1, tangents: trainable, of: trainable }).recording.foreign())
      kept.add(buffer);
  k.recording = main;

  return {
    recorded: main.finish(kept),
    ...inputs,
    target,
    ...(scale && { scale }),
    loss: lossRef,
    ...(flag && { flag }),
    gradient,
    results,
    missing,
    columns: Math.min(columns, widest),
    inner: strategy.inner,
    product,
    trainable,
    frozen: new Set([...trace.names.keys()].filter((parameter) => !parameter.trainable)),
  };
}

const GRADIENT = {
  by: 'reduction',
  name: 'gradient',
  key: 'gradient',
  signal: gradientSignal,
  reduce: { over: 'all' },
} as Target['quantity'];

function signalsOf(quantity: FormedQuantity): readonly Signal[] {
  if (quantity.by === 'product') return [];
  return quantity.by === 'derived' ? Object.values(quantity.from).flatMap(signalsOf) : [quantity.signal];
}

function copyOfFirst(k: Recorder, stack: TensorRef): TensorRef {
  const [, ...rest] = stack.shape;
  const copy = k.external([1, ...rest], k.precision, 'scratch');
  k.copyInto(copy, k.rows(stack, 0, 1));
  return copy;
}

/** How many columns the largest value on the way can hold within `columnBytes`. */
function columnsThatFit(reached: readonly Node[], { columnBytes, precision }: PlanRequest): number {
  const largest = Math.max(
    1,
    ...reached.flatMap((node) => [...node.outputs, ...node.inputs].map((value) => sizeOf(value.shape))),
  );
  return Math.max(1, Math.floor(columnBytes / (largest * bytesPerElement(precision))));
}
