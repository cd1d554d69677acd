import type { TensorRef } from '../backend/tensor-ref.js';
import { pieces as cut, type Range } from '../derivatives/range.js';
import { termColumns } from '../derivatives/term-columns.js';
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
  /** How many columns pass these nodes together. */
  columnsThatFit(nodes: readonly Node[]): number;
}

/** How far a pass has come. */
interface Front {
  /** Those still to be pulled, in order. */
  readonly nodes: readonly Node[];
  readonly arrivals: Map<Value, readonly Arrival[]>;
  readonly born: Born[];
  /** Columns born so far. */
  V: number;
  /** By parameter: its uses among `nodes`. */
  readonly outstanding: Map<Parameter, number>;
  /** What its uses before them received. */
  readonly collected: Map<Parameter, readonly Term[]>;
}

/**
 * One pass of columns from any values down to the lowest trainable use. What a parameter's uses receive is collected until the last
 * use that this pass reaches, and extracted together, so that ties are summed before anything is squared. Columns go together as far
 * as they fit: before a node that they do not fit they are cut, and the rest of the pass is made for one part after another.
 */
export function runPass(graph: Graph, pieces: readonly Piece[], options: PassOptions): void {
  const front = { arrivals: new Map(), born: [], V: 0, outstanding: new Map(), collected: new Map() };
  for (const piece of pieces) bear(front, piece);
  const nodes = graph.reach(front.arrivals.keys());
  const outstanding = new Map<Parameter, number>();
  for (const node of nodes)
    for (const { parameter } of graph.at(node).uses)
      if (graph.isTrainable(parameter)) outstanding.set(parameter, (outstanding.get(parameter) ?? 0) + 1);
  advance(graph, { ...front, nodes, outstanding }, options);
}

function arrive({ arrivals }: Pick<Front, 'arrivals'>, value: Value, arrival: Arrival): void {
  arrivals.set(value, [...(arrivals.get(value) ?? []), arrival]);
}

function bear(front: Pick<Front, 'arrivals' | 'born' | 'V'>, piece: Piece): void {
  const { start, weight, cross } = piece.source.make(piece);
  const at = front.V;
  front.born.push({ ...piece, at, ...(weight && { weight }), ...(cross && { cross }) });
  for (const [value, columns] of start) arrive(front, value, { at, columns });
  front.V += piece.to - piece.from;
}

function advance(graph: Graph, front: Front, options: PassOptions): void {
  const { arrivals, born, outstanding, collected } = front;
  for (const [i, node] of front.nodes.entries()) {
    const parts = Math.ceil(front.V / options.columnsThatFit([node]));
    if (parts > 1) {
      const rest = { ...front, nodes: front.nodes.slice(i) };
      const { inner, ...later } = options;
      for (const range of cut(front.V, Math.ceil(front.V / parts)))
        advance(graph, columnsOfFront(graph, rest, range), range.from === 0 ? options : later);
      return;
    }
    const columns = node.outputs.map((value) => {
      const stack = assemble(arrivals.get(value) ?? [], graph.k);
      arrivals.delete(value);
      return stack;
    });
    for (const source of options.inner?.(node, columns) ?? []) bear(front, { source, from: 0, to: source.V });
    const { uses, pull } = graph.at(node);
    if (columns.some(Boolean)) {
      const want = {
        inputs: node.inputs.map((value) => graph.wanted(value)),
        uses: uses.map((use) => graph.isTrainable(use.parameter)),
      };
      const { inputs, terms } = pull(columns, want);
      inputs.forEach((pulled, j) => {
        if (pulled && want.inputs[j]) arrive(front, node.inputs[j] as Value, { at: 0, columns: pulled });
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
      if (terms.length > 0) options.extract(parameter, terms, born, front.V);
    }
  }
}

/** The same front with columns [from, to) alone. */
function columnsOfFront({ k }: Graph, front: Front, { from, to }: Range): Front {
  const inRange = (at: number, V: number): Range => ({
    from: Math.max(0, from - at),
    to: Math.min(V, to - at),
  });
  const arrivals = new Map<Value, readonly Arrival[]>();
  for (const [value, all] of front.arrivals)
    for (const { at, columns } of all) {
      const own = inRange(at, columns.shape[0] as number);
      if (own.from < own.to)
        arrive({ arrivals }, value, { at: at + own.from - from, columns: k.rows(columns, own.from, own.to) });
    }
  const termsIn = (terms: readonly Term[], own: Range): readonly Term[] =>
    terms.flatMap((term) => termColumns(term, own.from, own.to));
  const born = front.born.flatMap((piece): readonly Born[] => {
    const { at, weight, cross } = piece;
    const own = inRange(at, piece.to - piece.from);
    if (own.from >= own.to) return [];
    return [
      {
        source: piece.source,
        from: piece.from + own.from,
        to: piece.from + own.to,
        at: at + own.from - from,
        ...(weight && { weight: k.rows(weight, own.from, own.to) }),
        ...(cross && { cross: { ...cross, terms: termsIn(cross.terms, own) } }),
      },
    ];
  });
  const collected = [...front.collected].map(
    ([parameter, terms]) => [parameter, termsIn(terms, { from, to })] as const,
  );
  return {
    ...front,
    arrivals,
    born,
    V: to - from,
    outstanding: new Map(front.outstanding),
    collected: new Map(collected),
  };
}
