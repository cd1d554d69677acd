import type { TensorRef } from '../backend/tensor-ref.js';
import type { Range } from '../derivatives/range.js';
import type { Term } from '../derivatives/use.js';
import type { Parameter } from '../module/parameter.js';
import type { Node } from '../module/tape.js';
import type { Value } from '../module/value.js';
import type { Cross, Source } from '../signal/source.js';
import type { Graph } from './graph.js';
import { type Arrival, assemble } from './stack.js';

/** Part of a source in one pass: its columns `from` to `to`. */
export interface Piece extends Range {
  readonly source: Source;
}

/** A piece whose columns exist: `at` is its first column in the pass's numbering. */
export interface Born extends Piece {
  readonly at: number;
  readonly weight?: TensorRef;
  readonly cross?: Cross;
}

export interface PassOptions {
  /** All of a parameter's terms have arrived: `V` columns were born so far. */
  extract(parameter: Parameter, terms: readonly Term[], born: readonly Born[], V: number): void;
  /** Called with the columns at each node's outputs before it is pulled; may bear more columns at its inputs or at earlier values. */
  inner?(node: Node, columns: readonly (TensorRef | undefined)[]): readonly Source[];
}

/**
 * One pass of columns from any values down to the lowest trainable use. What a parameter's uses receive is collected until the last
 * use that this pass reaches, and extracted together, so that ties are summed before anything is squared.
 */
export function runPass(graph: Graph, pieces: readonly Piece[], { extract, inner }: PassOptions): void {
  const { k } = graph;
  const arrivals = new Map<Value, Arrival[]>();
  const born: Born[] = [];
  let next = 0;
  const arrive = (value: Value, arrival: Arrival): void => {
    const list = arrivals.get(value);
    if (list) list.push(arrival);
    else arrivals.set(value, [arrival]);
  };
  const bear = (piece: Piece): void => {
    const { start, weight, cross } = piece.source.make(piece);
    born.push({ ...piece, at: next, ...(weight && { weight }), ...(cross && { cross }) });
    for (const [value, columns] of start) arrive(value, { at: next, columns });
    next += piece.to - piece.from;
  };
  pieces.forEach(bear);

  const nodes = graph.reach(arrivals.keys());
  const outstanding = new Map<Parameter, number>();
  for (const node of nodes)
    for (const { parameter } of graph.at(node).uses)
      if (graph.isTrainable(parameter)) outstanding.set(parameter, (outstanding.get(parameter) ?? 0) + 1);
  const collected = new Map<Parameter, Term[]>();

  for (const node of nodes) {
    const columns = node.outputs.map((value) => {
      const stack = assemble(arrivals.get(value) ?? [], k);
      arrivals.delete(value);
      return stack;
    });
    for (const source of inner?.(node, columns) ?? []) bear({ source, from: 0, to: source.V });
    const { uses, pull } = graph.at(node);
    if (columns.some(Boolean)) {
      const want = {
        inputs: node.inputs.map((value) => graph.wanted(value)),
        uses: uses.map((use) => graph.isTrainable(use.parameter)),
      };
      const { inputs, terms } = pull(columns, want);
      inputs.forEach((pulled, i) => {
        if (pulled && want.inputs[i]) arrive(node.inputs[i] as Value, { at: 0, columns: pulled });
      });
      for (const term of terms) {
        const { parameter } = term.use;
        if (graph.isTrainable(parameter)) collected.set(parameter, [...(collected.get(parameter) ?? []), term]);
      }
    }
    for (const { parameter } of uses) {
      const left = outstanding.get(parameter);
      if (left === undefined) continue;
      outstanding.set(parameter, left - 1);
      if (left > 1) continue;
      const terms = collected.get(parameter) ?? [];
      collected.delete(parameter);
      if (terms.length > 0) extract(parameter, terms, born, next);
    }
  }
}
