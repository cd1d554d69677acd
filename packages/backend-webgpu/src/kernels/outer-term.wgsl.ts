import type { MatrixView, Operand, OuterTerm } from '@gradpack/core';
import type { Span } from '../lowering/dispatch.js';
import type { KernelText } from '../lowering/kernel-text.js';
import { operandAt } from '../lowering/loops.js';
import { addOuterProduct } from '../lowering/tile.js';
import { declareFactor } from './factor.wgsl.js';

/** How a term is added to G: as a register tile of its own view, or entry by entry. */
export interface PrintedTerm {
  /** `columns`: the term is 0 from that column on. */
  readonly columns: string;
  /** Statements that add the term to tile `target`, where the tile is one of the term's view; `weight` scales it. */
  readonly tile?: (target: string, weight: string | undefined) => string;
  /** What `tile` uses and does not change with columns and samples. */
  readonly fixed?: string;
  /** Declared `fn name(v: i32, n: i32, e: i32) -> f32`. */
  readonly entry: string;
}

function sameView(a: MatrixView, b: MatrixView): boolean {
  const { strides: s } = a;
  const { strides: t } = b;
  return (
    a.G === b.G && a.O === b.O && a.C === b.C && a.K === b.K && s.g === t.g && s.o === t.o && s.c === t.c && s.k === t.k
  );
}

function termColumns(term: OuterTerm): number {
  if (term.kind === 'given') return term.V;
  return Math.max(term.a.V, 'u' in term ? term.u.V : 1);
}

/**
 * Declares what a term needs under `name`. In a tile (`tile`: the view of the tiles) `g` is the group, `o4` and `i4` are the clamped
 * rows and columns.
 */
export function declareTerm(
  k: KernelText,
  name: string,
  term: OuterTerm,
  reads: readonly Operand[],
  tile: MatrixView | undefined,
  spanOfGiven: Span | undefined,
): PrintedTerm {
  const columns = k.int(`${name}_V`, termColumns(term));
  const entry = `${name}_entry`;
  const declareEntry = (body: string): void => k.declare(`fn ${entry}(v: i32, n: i32, e: i32) -> f32 {\n${body}\n}`);
  const sumOverT = (factor: string, product: string): string =>
    `var sum = 0.0;\nfor (var t = 0; t < p.${factor}_T; t++) { sum += ${product}; }\nreturn sum;`;
  if (term.kind === 'given') {
    k.read(`${name}_g`, operandAt(reads, term.read), 'f32', spanOfGiven);
    declareEntry(
      `return ${name}_g(v * ${k.int(`${name}_given_v`, term.strides.v)} + n * ${k.int(`${name}_given_n`, term.strides.n)} + e);`,
    );
    return { columns, entry };
  }
  const [a, u] = [`${name}_a`, `${name}_u`];
  declareFactor(k, a, term.a, operandAt(reads, term.a.read));
  if ('u' in term) declareFactor(k, u, term.u, operandAt(reads, term.u.read));
  switch (term.kind) {
    case 'matrix': {
      if (tile && sameView(tile, term.view))
        return {
          columns,
          entry,
          fixed: `let ${a}_r = ${a}_rows(g, o4); let ${a}_k = ${a}_taps(o4); let ${u}_r = ${u}_rows(g, i4); let ${u}_k = ${u}_taps(i4);`,
          tile: (
            target,
            weight,
          ) => `let a_rows = ${a}_r + vec4i(${a}_start(v, n)); let u_rows = ${u}_r + vec4i(${u}_start(v, n));
for (var t = 0; t < p.${a}_T; t++) {
let x = ${weight === undefined ? '' : `${weight} * `}${a}_four(a_rows, ${a}_k, t);
let y = ${u}_four(u_rows, ${u}_k, t);
${addOuterProduct(target, 'x', 'y')}
}`,
        };
      const { view } = term;
      // an axis of extent 1 may have any stride
      const place = (axis: 'g' | 'o' | 'c' | 'k', extent: number): string => {
        const [stride, size] = [
          k.int(`${name}_view_${axis}`, extent === 1 ? 1 : view.strides[axis]),
          k.int(`${name}_extent_${axis}`, extent),
        ];
        return `let ${axis} = e / ${stride} % ${size};`;
      };
      const back = (axis: 'g' | 'o' | 'c' | 'k', extent: number): string =>
        `${axis} * ${k.int(`${name}_back_${axis}`, extent === 1 ? 0 : view.strides[axis])}`;
      declareEntry(`${place('g', view.G)} ${place('o', view.O)} ${place('c', view.C)} ${place('k', view.K)}
if (${back('g', view.G)} + ${back('o', view.O)} + ${back('c', view.C)} + ${back('k', view.K)} != e) { return 0.0; }
let column = c * p.${name}_extent_k + k;
${sumOverT(a, `${a}_one(v, n, g, o, t) * ${u}_one(v, n, g, column, t)`)}`);
      return { columns, entry };
    }
    case 'shift': {
      const F = k.int(`${name}_F`, term.a.F);
      declareEntry(
        `if (e >= ${F} * ${k.int(`${name}_G`, term.a.G)}) { return 0.0; }\n${sumOverT(a, `${a}_one(v, n, e / ${F}, e % ${F}, t)`)}`,
      );
      return { columns, entry };
    }
    case 'scale':
      declareEntry(
        `if (e >= ${k.int(`${name}_F`, term.a.F)}) { return 0.0; }\n${sumOverT(a, `${a}_one(v, n, 0, e, t) * ${u}_one(v, n, 0, e, t)`)}`,
      );
      return { columns, entry };
    case 'lookup': {
      k.read(`${name}_rows`, operandAt(reads, term.rows), 'i32');
      // rows are never negative, so −1 skips nothing
      const [F, skip] = [k.int(`${name}_F`, term.a.F), k.int(`${name}_skip`, term.skip ?? -1)];
      declareEntry(`let row = e / ${F};
if (row == ${skip}) { return 0.0; }
var sum = 0.0;
for (var t = 0; t < p.${a}_T; t++) { if (${name}_rows(n * p.${a}_T + t) == row) { sum += ${a}_one(v, n, 0, e % ${F}, t); } }
return sum;`);
      return { columns, entry };
    }
    default:
      return term satisfies never;
  }
}
