import type { Expression } from './expression.js';

type Leaf = Extract<Expression, { readonly op: 'input' | 'constant' | 'coordinate' }>;

/** Replaces inputs, constants and coordinates. What is shared stays shared. */
export function replaceLeaves(e: Expression, by: (leaf: Leaf) => Expression): Expression {
  const made = new Map<Expression, Expression>();
  const replaced = (x: Expression): Expression => {
    const known = made.get(x);
    if (known) return known;
    const own = rebuilt(x);
    made.set(x, own);
    return own;
  };
  const rebuilt = (x: Expression): Expression => {
    if ('x' in x) return { op: x.op, x: replaced(x.x) };
    if (x.op === 'where') return { op: 'where', condition: replaced(x.condition), a: replaced(x.a), b: replaced(x.b) };
    return 'a' in x ? { op: x.op, a: replaced(x.a), b: replaced(x.b) } : by(x);
  };
  return replaced(e);
}
