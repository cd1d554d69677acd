import {
  abs,
  add,
  constant,
  coordinate,
  div,
  type Expression,
  equal,
  input,
  less,
  mul,
  sign,
  sqrt,
  where,
} from '../backend/expression.js';
import type { TensorRef } from '../backend/tensor-ref.js';
import { isCommonUse } from '../derivatives/use.js';
import type { Graph } from '../engine/graph.js';
import type { Parameter } from '../module/parameter.js';
import type { Node } from '../module/tape.js';
import type { Value } from '../module/value.js';
import { sizeOf } from '../tensor/shape.js';
import type { Source } from './source.js';

/** Parameters whose use at this node multiplies something that itself depends on them: weights tied in sequence. */
function sequentialTies(graph: Graph, node: Node): readonly Parameter[] {
  const multiplies = graph
    .at(node)
    .uses.filter(
      (use) => graph.isTrainable(use.parameter) && (use.kind === 'matrix' || use.kind === 'scale' || !isCommonUse(use)),
    );
  const tied = multiplies.filter((use) => node.inputs.some((value) => graph.depends(value, use.parameter)));
  return [...new Set(tied.map((use) => use.parameter))];
}

/** Whether the Hessian has columns that are born at this node. */
export function isCurved(graph: Graph, node: Node): boolean {
  const { curvature } = node.layer.traits(node.mode);
  return (
    (curvature !== 'none' && node.inputs.some((value) => graph.wanted(value))) || sequentialTies(graph, node).length > 0
  );
}

/** The Hessian's sources at the inputs of one node, from the gradient columns [1, N, ...output] at its outputs. */
export function curvatureSources(
  graph: Graph,
  node: Node,
  gradient: readonly (TensorRef | undefined)[],
): readonly Source[] {
  const cross = sequentialTies(graph, node).flatMap((parameter) => crossSources(graph, node, gradient, parameter));
  const { curvature } = node.layer.traits(node.mode);
  switch (curvature) {
    case 'none':
      return cross;
    case 'elementwise':
      return [...cross, ...residualSource(graph, node, gradient[0])];
    case 'coupled':
      return [...cross, ...coupledSource(graph, node, gradient)];
  }
}

const featuresOf = (value: Value): number => sizeOf(value.shape) / (value.shape[0] as number);
/** Where the column's number is the feature's, over [V, N, F]. */
const onDiagonal = (first: number): Expression => equal(add(coordinate(0), constant(first)), coordinate(2));

/** Elementwise layers: `diag(r) = Σ_f sign(r_f) (√|r_f| e_f)(√|r_f| e_f)ᵀ`, r = f″ ⊙ δ. One column per feature. */
function residualSource(graph: Graph, node: Node, gradient: TensorRef | undefined): readonly Source[] {
  const { k, N } = graph;
  const [value] = node.inputs;
  const { residual } = graph.at(node);
  if (!value || !gradient || !residual || !graph.wanted(value)) return [];
  const F = featuresOf(value);
  const r = k.reshape(residual(gradient), [N, F]);
  return [
    {
      V: F,
      make({ from, to }) {
        const V = to - from;
        const columns = k.map(where(onDiagonal(from), sqrt(abs(input(0))), 0), [r], { shape: [V, N, F] });
        const signs = k.permute(k.map(sign(input(0)), [k.gatherStrided(r, [N, V], [F, 1], from)]), [1, 0]);
        return { start: new Map([[value, k.reshape(columns, [V, ...value.shape])]]), weight: signs };
      },
    },
  ];
}

/**
 * Coupled layers, by balanced polarisation of R, `R e_v = pullTangent(δ, e_v)`: `R = ¼ Σ_v [(s e + R e/s)(·)ᵀ − (s e − R e/s)(·)ᵀ]` with
 * `s² = |R e_v|` per sample, without which float32 loses small curvature. Two columns (+, −) per feature, over all wanted inputs at once.
 */
function coupledSource(graph: Graph, node: Node, gradient: readonly (TensorRef | undefined)[]): readonly Source[] {
  const { k, N } = graph;
  const { pullTangent } = graph.at(node);
  const wanted = node.inputs.map((value) => graph.wanted(value));
  const features = node.inputs.map((value, i) => (wanted[i] ? featuresOf(value) : 0));
  const total = features.reduce((a, b) => a + b, 0);
  if (!pullTangent || total === 0) return [];
  const starts = features.map((_, i) => features.slice(0, i).reduce((a, b) => a + b, 0));
  return [
    {
      V: 2 * total,
      make({ from, to }) {
        const V = to - from;
        // column 2f is +, column 2f + 1 is − of feature f, counted over the wanted inputs
        const feature = { op: 'floor', x: mul(add(coordinate(0), constant(from)), 0.5) } as const;
        const parity = (axis: number): Expression => {
          const half = mul(add(coordinate(axis), constant(from)), 0.5);
          return where(less({ op: 'floor', x: half }, half), -1, 1);
        };
        const units = node.inputs.map((value, i) => {
          if (!wanted[i]) return undefined;
          const unit = k.map(where(equal(feature, add(coordinate(2), constant(starts[i] as number))), 1, 0), [], {
            shape: [V, N, features[i] as number],
          });
          return k.reshape(unit, [V, ...value.shape]);
        });
        const pulled = pullTangent(gradient, units, new Map(), { inputs: wanted, uses: [] }).inputs;
        const flat = (x: TensorRef | undefined, i: number): TensorRef | undefined =>
          x && k.reshape(x, [x.shape[0] as number, N, features[i] as number]);
        const squares = pulled.flatMap((x, i) => {
          const f = wanted[i] ? flat(x, i) : undefined;
          return f ? [k.reduce('sum', mul(input(0), input(0)), [f], [2])] : [];
        });
        const [first, ...rest] = squares;
        if (!first) return { start: new Map() };
        const sum = rest.reduce((a, b) => k.map(add(input(0), input(1)), [a, b]), first);
        // s = |R e|^½; where R e = 0 the pair cancels and is left out
        const s = k.reshape(k.map(sqrt(sqrt(input(0))), [sum]), [V, N, 1]);
        const weight = k.map(parity(0), [], { shape: [V, N] });
        const start = new Map<Value, TensorRef>();
        node.inputs.forEach((value, i) => {
          const unit = flat(units[i], i);
          if (!wanted[i] || !unit) return;
          const r = flat(pulled[i], i);
          const half = (x: Expression): Expression => mul(0.5, x);
          const e = mul(input(0), input(1));
          const column = r
            ? where(less(constant(0), input(1)), half(add(e, mul(parity(0), div(input(2), input(1))))), 0)
            : half(e);
          const made = k.reshape(
            k.map(column, r ? [unit, s, r] : [unit, s], { shape: [V, N, features[i] as number] }),
            [V, ...value.shape],
          );
          const before = start.get(value);
          start.set(value, before ? k.map(add(input(0), input(1)), [before, made]) : made); // one value at two inputs
        });
        return { start, weight };
      },
    },
  ];
}

/**
 * A parameter used after itself: for each input of the later use that depends on it, unit columns e_v pulled to the earlier uses meet
 * the terms (δ, u̇ = e_v) here; `diag += 2 Σ_v P_v ⊙ Q_v`.
 */
function crossSources(
  graph: Graph,
  node: Node,
  gradient: readonly (TensorRef | undefined)[],
  parameter: Parameter,
): readonly Source[] {
  const { k, N } = graph;
  const { pullTangent, uses } = graph.at(node);
  if (!pullTangent) return [];
  return node.inputs.flatMap((value, i) => {
    if (!graph.depends(value, parameter)) return [];
    const F = featuresOf(value);
    const source: Source = {
      V: F,
      make({ from, to }) {
        const V = to - from;
        const unit = k.reshape(k.map(where(onDiagonal(from), 1, 0), [], { shape: [V, N, F] }), [V, ...value.shape]);
        const tangents = node.inputs.map((_, j) => (j === i ? unit : undefined));
        const want = { inputs: node.inputs.map(() => false), uses: uses.map((use) => use.parameter === parameter) };
        const terms = pullTangent(gradient, tangents, new Map(), want).terms.filter(
          (term) => term.use.parameter === parameter,
        );
        return { start: new Map([[value, unit]]), cross: { parameter, terms } };
      },
    };
    return [source];
  });
}
