import type { Kernel, Operand } from '@gradpack/core';
import { sizeOf, type Window } from '@gradpack/core';
import type { Lowering } from '../lowering/dispatch.js';
import { type KernelText, kernelText } from '../lowering/kernel-text.js';
import { operandAt } from '../lowering/loops.js';
import { declarePositions, declareReaders } from '../lowering/window-tables.js';

/*
 * maxPool: y[r,t] = max_k x[r,p(k,t)], index the position (first of equals, NaN wins). averagePool: y[r,t] = Σ_k x[r,p(k,t)] / divisors[t];
 * averagePoolTransposed its adjoint, as a sum over the windows that read a position. x [rows, S], y [rows, T]; an invocation an output.
 * Bindings: input, tables, outputs.
 */

function declareWindow(k: KernelText, window: Window): void {
  k.int('S', sizeOf(window.input));
  k.int('T', sizeOf(window.output));
  k.int('K', sizeOf(window.kernel));
}

function declareDivisors(k: KernelText, divisors: readonly number[]): void {
  k.table('divisor_bits', `divisors ${divisors.join()}`, () => new Int32Array(Float32Array.from(divisors).buffer));
}

export function maxPool(
  lowering: Lowering,
  { rows, window }: Kernel['maxPool'],
  reads: readonly Operand[],
  writes: readonly Operand[],
): void {
  const k = kernelText(lowering);
  declareWindow(k, window);
  k.read('x', operandAt(reads, 0), 'f32');
  declarePositions(k, 'position', window);
  k.write('y', operandAt(writes, 0), 'f32', false);
  k.write('index', operandAt(writes, 1), 'i32', false);
  k.use('is_nan', 'lesser');
  k.dispatch(
    rows * sizeOf(window.output),
    `let t = i % p.T;
let x_first = i / p.T * p.S;
var best = 0.0;
var found = -1;
for (var k = 0; k < p.K; k++) {
let at = position(k * p.T + t);
if (at < 0) { continue; }
let value = x(x_first + at);
if (found < 0 || lesser(best, value) || (is_nan(value) && !is_nan(best))) { best = value; found = at; }
}
put_y(i, best);
put_index(i, found);`,
  );
}

export function averagePool(
  lowering: Lowering,
  { rows, window, divisors }: Kernel['averagePool'],
  reads: readonly Operand[],
  writes: readonly Operand[],
): void {
  const k = kernelText(lowering);
  declareWindow(k, window);
  k.read('x', operandAt(reads, 0), 'f32');
  declarePositions(k, 'position', window);
  declareDivisors(k, divisors);
  k.write('y', operandAt(writes, 0), 'f32', false);
  k.dispatch(
    rows * sizeOf(window.output),
    `let t = i % p.T;
let x_first = i / p.T * p.S;
var sum = 0.0;
for (var k = 0; k < p.K; k++) {
let at = position(k * p.T + t);
if (at >= 0) { sum += x(x_first + at); }
}
put_y(i, sum / bitcast<f32>(divisor_bits(t)));`,
  );
}

export function averagePoolTransposed(
  lowering: Lowering,
  { rows, window, divisors }: Kernel['averagePoolTransposed'],
  reads: readonly Operand[],
  writes: readonly Operand[],
): void {
  const k = kernelText(lowering);
  declareWindow(k, window);
  k.read('y', operandAt(reads, 0), 'f32');
  declareReaders(k, 'readers', window);
  declareDivisors(k, divisors);
  k.write('x', operandAt(writes, 0), 'f32', false);
  k.dispatch(
    rows * sizeOf(window.input),
    `let s = i % p.S;
let y_first = i / p.S * p.T;
var sum = 0.0;
for (var j = readers(s); j < readers(s + 1); j += 2) {
let t = readers(j + 1);
sum += y(y_first + t) / bitcast<f32>(divisor_bits(t));
}
put_x(i, sum);`,
  );
}
