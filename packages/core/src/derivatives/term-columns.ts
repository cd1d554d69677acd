import { columnsOf, type Factor } from './factor.js';
import { columnsOfTerm, isCommonUse, type Term } from './use.js';

/** Columns [from, to) of a term; none where it has ended. */
export function termColumns(term: Term, from: number, to: number): readonly Term[] {
  const V = columnsOfTerm(term);
  const end = Math.min(to, V);
  if (from >= end) return [];
  const cut = (factor: Factor): Factor => (factor.V === 1 && V > 1 ? factor : columnsOf(factor, from, end));
  const { use } = term;
  if (!isCommonUse(use)) {
    const { blockOf } = use;
    const shifted: typeof blockOf = (block, { columns, samples }, k) =>
      blockOf(block, { columns: { from: from + columns.from, to: from + columns.to }, samples }, k);
    return [{ use: { ...use, blockOf: shifted }, a: cut(term.a) }];
  }
  return [{ use: 'u' in use ? { ...use, u: cut(use.u) } : use, a: cut(term.a) }];
}
