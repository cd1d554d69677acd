import type { Operand } from '@gradpack/core';
import { compileExpression, expression } from '@gradpack/core';
import { type CaseRecorder, type ConformanceCase, recordCase } from '../conformance-case.js';
import type { Draw } from '../draw.js';

const { add, input, mul, tanh } = expression;
const float = { dtype: 'float64' as const };

function scaled(record: CaseRecorder, from: Operand, to: Operand, length: number, by: number): void {
  record.call(
    'map',
    {
      shape: [length],
      inputs: [{ strides: [1], ...float }],
      to: [1],
      expression: compileExpression(mul(input(0), by)),
      accumulate: false,
    },
    [from],
    [to],
  );
}

/** Scratch buffers of different lengths follow each other in two slots, results and constants take part. */
function slotsReused(draw: Draw): ConformanceCase {
  const record = recordCase();
  const x = record.input(draw.values(40));
  const shift = record.constant(draw.values(40));
  const [a, b, c, d] = [record.scratch(40, 0), record.scratch(30, 1), record.scratch(20, 0), record.scratch(40, 1)];
  const [kept, result] = [record.fresh(30, 'kept'), record.fresh(20, 'result')];
  const sum = {
    shape: [40],
    inputs: [
      { strides: [1], ...float },
      { strides: [1], ...float },
    ],
    to: [1],
    expression: compileExpression(add(input(0), input(1))),
    accumulate: false,
  };
  record.call('map', sum, [x, shift], [a]);
  scaled(record, a, b, 30, 2);
  scaled(record, b, kept, 30, 0.5);
  scaled(record, { ...b, offset: 10 }, c, 20, -1);
  scaled(record, x, d, 40, 3);
  record.call('copy', { ...float, shape: [20], from: [-2], to: [1], accumulate: true }, [{ ...d, offset: 39 }], [c]);
  scaled(record, c, result, 20, 1);
  return record.finish('program: scratch slots reused');
}

/** A two-layer net with one update of its weights: writes to a parameter are seen by later calls. */
function trainingStep(draw: Draw): ConformanceCase {
  const record = recordCase();
  const [N, I, O] = [6, 5, 4];
  const x = record.input(draw.values(N * I));
  const W = record.output(draw.values(O * I));
  const rate = record.input([0.125]);
  const [h, g, dW] = [record.scratch(N * O, 0), record.scratch(N * O, 1), record.scratch(O * I, 0)];
  const y = record.fresh(N * O, 'result');
  const forward = {
    batch: 1,
    M: N,
    N: O,
    K: I,
    a: { b: 0, m: I, k: 1 },
    b: { b: 0, k: 1, n: I },
    c: { b: 0, m: O, n: 1 },
    alpha: 1,
    accumulate: false,
  };
  record.call('gemm', forward, [x, W], [h]);
  record.call(
    'map',
    {
      shape: [N * O],
      inputs: [{ strides: [1], ...float }],
      to: [1],
      expression: compileExpression(tanh(input(0))),
      accumulate: false,
    },
    [h],
    [g],
  );
  record.call(
    'gemm',
    { ...forward, M: O, N: I, K: N, a: { b: 0, m: 1, k: O }, b: { b: 0, k: I, n: 1 }, c: { b: 0, m: I, n: 1 } },
    [g, x],
    [dW],
  );
  record.call(
    'map',
    {
      shape: [O * I],
      inputs: [
        { strides: [1], ...float },
        { strides: [0], ...float },
      ],
      to: [1],
      expression: compileExpression(mul(input(0), input(1))),
      accumulate: true,
    },
    [dW, rate],
    [W],
  );
  record.call('gemm', forward, [x, W], [y]);
  return record.finish('program: a parameter is updated and read again');
}

function manyCalls(draw: Draw): ConformanceCase {
  const record = recordCase();
  let from = record.input(draw.values(16));
  for (let i = 0; i < 300; i++) {
    const to = record.scratch(16, i % 2);
    scaled(record, from, to, 16, i % 2 ? 2 : 0.5);
    from = to;
  }
  scaled(record, from, record.fresh(16, 'result'), 16, 1);
  return record.finish('program: 301 calls');
}

/** Two calls write parts of one buffer, a third reads across them. */
function sharedBuffer(draw: Draw): ConformanceCase {
  const record = recordCase();
  const [x, whole, result] = [record.input(draw.values(12)), record.scratch(12, 0), record.fresh(12, 'result')];
  scaled(record, x, { ...whole, offset: 6 }, 6, 2);
  scaled(record, { ...x, offset: 6 }, whole, 6, 3);
  record.call(
    'copy',
    { ...float, shape: [12], from: [-1], to: [1], accumulate: false },
    [{ ...whole, offset: 11 }],
    [result],
  );
  return record.finish('program: parts of one buffer');
}

function empty(): ConformanceCase {
  const record = recordCase();
  record.input([1]);
  return record.finish('program: no calls');
}

export function programCases(draw: Draw): readonly ConformanceCase[] {
  return [slotsReused(draw), trainingStep(draw), manyCalls(draw), sharedBuffer(draw), empty()];
}
