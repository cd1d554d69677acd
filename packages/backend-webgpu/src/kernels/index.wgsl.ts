import type { IndexSpec, Kernel, Operand } from '@gradpack/core';
import type { Lowering } from '../lowering/dispatch.js';
import { kernelText } from '../lowering/kernel-text.js';
import { operandAt } from '../lowering/loops.js';

/*
 * gather: y[v,r,t] = x[v,r,index[r,t]]. gatherRows: y[v,j,:] = W[v,ids[j],:], 0 where the id is `skip`. An invocation an output.
 *
 * scatterAdd: x[v,r,s] = Σ_{t: index[r,t]=s} y[v,r,t]. Floats have no atomics and sums must keep their order, so a first dispatch (an
 * invocation a row) links the t of each s into a list in ascending order, and a second walks the lists.
 */

export function gather(
  lowering: Lowering,
  { V, R, S, T }: IndexSpec,
  reads: readonly Operand[],
  writes: readonly Operand[],
): void {
  const k = kernelText(lowering);
  k.read('x', operandAt(reads, 0), 'f32');
  k.read('index', operandAt(reads, 1), 'i32');
  k.write('y', operandAt(writes, 0), 'f32', false);
  for (const [name, value] of Object.entries({ S, T, RT: R * T })) k.int(name, value);
  k.dispatch(V * R * T, 'put_y(i, x(i / p.T * p.S + index(i % p.RT)));');
}

export function scatterAdd(
  lowering: Lowering,
  { V, R, S, T }: IndexSpec,
  reads: readonly Operand[],
  writes: readonly Operand[],
): void {
  const [head, next] = [lowering.temporary(R * S), lowering.temporary(R * T)];
  const link = kernelText(lowering);
  link.read('index', operandAt(reads, 1), 'i32');
  link.write('head', head, 'i32', false);
  link.write('next', next, 'i32', false);
  for (const [name, value] of Object.entries({ S, T })) link.int(name, value);
  link.dispatch(
    R,
    `for (var s = 0; s < p.S; s++) { put_head(i * p.S + s, -1); }
for (var t = p.T - 1; t >= 0; t--) {
let at = i * p.S + index(i * p.T + t);
put_next(i * p.T + t, now_head(at));
put_head(at, t);
}`,
  );
  const sum = kernelText(lowering);
  sum.read('y', operandAt(reads, 0), 'f32');
  sum.read('head', head, 'i32');
  sum.read('next', next, 'i32');
  sum.write('x', operandAt(writes, 0), 'f32', false);
  for (const [name, value] of Object.entries({ R, S, T, RS: R * S })) sum.int(name, value);
  sum.dispatch(
    V * R * S,
    `let row = i / p.S;
var total = 0.0;
for (var t = head(i % p.RS); t >= 0; t = next(row % p.R * p.T + t)) { total += y(row * p.T + t); }
put_x(i, total);`,
  );
}

export function gatherRows(
  lowering: Lowering,
  { V, J, H, words, skip }: Kernel['gatherRows'],
  reads: readonly Operand[],
  writes: readonly Operand[],
): void {
  const k = kernelText(lowering);
  k.read('w', operandAt(reads, 0), 'f32');
  k.read('ids', operandAt(reads, 1), 'i32');
  k.write('y', operandAt(writes, 0), 'f32', false);
  // ids are never negative, so −1 skips nothing
  for (const [name, value] of Object.entries({ J, H, words, skip: skip ?? -1 })) k.int(name, value);
  k.dispatch(
    V * J * H,
    `let j = i / p.H % p.J;
let row = ids(j);
if (row == p.skip) { put_y(i, 0.0); } else { put_y(i, w((i / (p.H * p.J) * p.words + row) * p.H + i % p.H)); }`,
  );
}
