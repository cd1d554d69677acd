import { webgpu } from '@gradpack/backend-webgpu';
import { type Backend, compileExpression, expression as e, type UnaryOp } from '@gradpack/core';
import { afterAll, describe, expect, test } from 'vitest';
import { hasAdapter } from './adapter.js';
import { runProgram } from './program.js';

const backend: Backend | undefined = (await hasAdapter()) ? await webgpu() : undefined;
afterAll(() => backend?.dispose());

const at = (buffer: number) => ({ buffer, offset: 0 });

async function evaluate(expression: e.Expression, inputs: readonly (readonly number[])[]): Promise<readonly number[]> {
  const length = inputs[0]?.length ?? 0;
  const lanes = inputs.map(() => ({ strides: [1], dtype: 'float32' as const }));
  const spec = {
    shape: [length],
    inputs: lanes,
    to: [1],
    expression: compileExpression(expression),
    accumulate: false,
  };
  const buffers = [...inputs.map((values) => ({ values })), { values: new Array<number>(length).fill(0) }];
  const call = { kernel: 'map', spec, reads: inputs.map((_, i) => at(i)), writes: [at(inputs.length)] } as const;
  return [...((await runProgram(backend as Backend, buffers, [call])).at(-1) ?? [])];
}

/** Both signs, from 1e-10 to `largest`, a hundred points a decade. */
function spread(largest: number): readonly number[] {
  const points: number[] = [];
  for (let x = 1e-10; x < largest; x *= 1.0233) points.push(Math.fround(x), Math.fround(-x));
  return points;
}

/** Units of float32's last place, of the value itself: tighter than the conformance suite, which compares with the largest entry. */
const worstUlps = (got: readonly number[], expected: readonly number[]): number =>
  Math.max(
    ...got.map((y, i) => Math.abs(y - (expected[i] ?? 0)) / Math.max(Math.abs(expected[i] ?? 0) * 2 ** -23, 2 ** -149)),
  );

describe.skipIf(!backend)('functions', () => {
  const exact: readonly (readonly [UnaryOp, (x: number) => number, number])[] = [
    ['exp', Math.exp, 80],
    ['expm1', Math.expm1, 80],
    ['sigmoid', (x) => 1 / (1 + Math.exp(-x)), 80],
    ['tanh', Math.tanh, 1e6],
    ['floor', Math.floor, 1e6],
    ['abs', Math.abs, 1e30],
    ['sign', Math.sign, 1e30],
  ];
  test.each(exact)('%s agrees to 8 units in the last place', async (op, f, largest) => {
    const points = spread(largest);
    expect(worstUlps(await evaluate({ op, x: e.input(0) }, [points]), points.map(f))).toBeLessThan(8);
  });

  test.each([
    ['log', Math.log, 1e30],
    ['sqrt', Math.sqrt, 1e30],
  ] as const)('%s agrees to 8 units in the last place', async (op, f, largest) => {
    const points = [...spread(largest).map(Math.abs), 1.0000001, 0.9999999, ...(op === 'log' ? [1e-40] : [])].map(
      Math.fround,
    );
    expect(worstUlps(await evaluate({ op, x: e.input(0) }, [points]), points.map(f))).toBeLessThan(8);
  });

  test('log1p agrees to 8 units in the last place', async () => {
    const points = spread(1e30).filter((x) => x > -0.999);
    expect(worstUlps(await evaluate(e.log1p(e.input(0)), [points]), points.map(Math.log1p))).toBeLessThan(8);
  });

  test.each([
    ['sin', Math.sin],
    ['cos', Math.cos],
  ] as const)('%s is right to 5e-7 up to 1000', async (op, f) => {
    const points = spread(1000);
    const got = await evaluate({ op, x: e.input(0) }, [points]);
    expect(Math.max(...got.map((y, i) => Math.abs(y - f(points[i] ?? 0))))).toBeLessThan(5e-7);
  });

  test('infinities and overflow', async () => {
    const all = (op: UnaryOp): Promise<readonly number[]> =>
      evaluate({ op, x: e.input(0) }, [[Infinity, -Infinity, 1000, -1000, 0]]);
    expect(await all('exp')).toEqual([Infinity, 0, Infinity, 0, 1]);
    expect(await all('expm1')).toEqual([Infinity, -1, Infinity, -1, 0]);
    expect(await all('tanh')).toEqual([1, -1, 1, -1, 0]);
    expect(await all('sigmoid')).toEqual([1, 0, 1, 0, 0.5]);
    expect(await all('log')).toEqual([Infinity, NaN, Math.fround(Math.log(1000)), NaN, -Infinity]);
  });

  test('NaN passes through every function', async () => {
    const ops = [
      'neg',
      'abs',
      'sign',
      'sqrt',
      'exp',
      'expm1',
      'log',
      'log1p',
      'sigmoid',
      'tanh',
      'sin',
      'cos',
      'floor',
    ] as const;
    for (const op of ops) expect(await evaluate({ op, x: e.input(0) }, [[NaN]]), op).toEqual([NaN]);
  });

  test('comparisons are false with NaN, also with a constant NaN', async () => {
    const [a, b] = [
      [NaN, 1, NaN, 2, -0],
      [1, NaN, NaN, 2, 0],
    ];
    for (const op of ['less', 'equal'] as const) {
      const both = await evaluate({ op, a: e.input(0), b: e.input(1) }, [a, b]);
      expect(both, op).toEqual(op === 'less' ? [0, 0, 0, 0, 0] : [0, 0, 0, 1, 1]);
      expect(await evaluate({ op, a: e.input(0), b: e.constant(NaN) }, [a]), op).toEqual([0, 0, 0, 0, 0]);
    }
    for (const op of ['max', 'min'] as const) {
      expect(await evaluate({ op, a: e.input(0), b: e.input(1) }, [a.slice(0, 4), b.slice(0, 4)]), op).toEqual([
        NaN,
        NaN,
        NaN,
        2,
      ]);
      expect(await evaluate({ op, a: e.constant(NaN), b: e.input(0) }, [b.slice(0, 1)]), op).toEqual([NaN]);
    }
  });

  test('where does not see the branch that is not taken', async () => {
    const values = await evaluate(e.where(e.input(0), e.constant(Infinity), e.log(e.input(1))), [
      [1, 0, NaN, -0],
      [-1, 1, -1, 1],
    ]);
    expect(values).toEqual([Infinity, 0, Infinity, 0]);
  });

  test('grids above 65535 workgroups', async () => {
    const length = 65536 * 64 + 3;
    const buffers = [{ values: [1] }, { values: new Array<number>(length).fill(0) }];
    const expression = compileExpression(e.add(e.input(0), e.coordinate(0)));
    const spec = {
      shape: [length],
      inputs: [{ strides: [0], dtype: 'float32' as const }],
      to: [1],
      expression,
      accumulate: false,
    };
    const [, y] = await runProgram(backend as Backend, buffers, [
      { kernel: 'map', spec, reads: [at(0)], writes: [at(1)] },
    ]);
    expect([y?.[0], y?.[65535 * 64], y?.[length - 1]]).toEqual([1, 65535 * 64 + 1, length]);
  });
});
