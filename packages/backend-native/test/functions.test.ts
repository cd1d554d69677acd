import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Program, UnaryOp } from '@gradpack/core';
import { describe, expect, it } from 'vitest';
import { encodeProgram } from '../src/encode.js';
import { isNativeAvailable } from '../src/index.js';

const available = isNativeAvailable();
const path = process.env.GRADPACK_NATIVE ?? fileURLToPath(new URL('../build/Release/gradpack.node', import.meta.url));

/** Units in the last place, as `addon/isa/functions.h` states them. */
const MOST_ULP = { exp: 1.1, expm1: 1.6, log: 0.9, log1p: 0.9, sigmoid: 2.5, tanh: 1.4, sin: 0.51, cos: 0.51 } as const;
type Name = keyof typeof MOST_ULP;

/** Per exponent and sign, and a chunk of the program's input. */
const MANTISSAS = 256;
const LENGTH = 2 * 256 * MANTISSAS;

function unary(op: UnaryOp): Program {
  const buffer = { dtype: 'float32', length: LENGTH, first: 0, last: 0 } as const;
  const instructions = [
    { op: 'input', out: 0, value: 0 },
    { op, out: 0, x: 0 },
  ] as const;
  return {
    buffers: [
      { ...buffer, role: 'input' },
      { ...buffer, role: 'result' },
    ],
    slots: [],
    calls: [
      {
        kernel: 'map',
        spec: {
          shape: [LENGTH],
          inputs: [{ strides: [1], dtype: 'float32' }],
          to: [1],
          expression: { instructions, registers: 1, result: 0 },
          accumulate: false,
        },
        reads: [{ buffer: 0, offset: 0 }],
        writes: [{ buffer: 1, offset: 0 }],
      },
    ],
    bytes: { scratch: 0, kept: 0, results: 0 },
  };
}

/** In a process of its own, because the instruction set is chosen once: the largest errors over all exponents, and wrong special values. */
const script = `
  const addon = require(${JSON.stringify(path)});
  const heap = addon.createHeap(2 ** 30, 2 ** 30, 1);
  const programs = ${JSON.stringify(
    Object.keys(MOST_ULP).map((op) => [op, [...encodeProgram(unary(op as Name), 'float32')]]),
    // JSON has no infinity or NaN; a program of one unary operation has none either
  )};
  const x = new Float32Array(${LENGTH}), bits = new Uint32Array(x.buffer);
  for (let high = 0, i = 0; high < 512; high++)
    for (let m = 0; m < ${MANTISSAS}; m++)
      bits[i++] = ((high << 23) | (m < 4 ? m : m > 251 ? 0x7fff00 + m : (m * 0x8089 + high * 97) & 0x7fffff)) >>> 0;
  // where functions change their way: the ends of exp, expm1 and tanh, roots of two, and the last radians before the C library
  const borders = [88.72283, -103.97208, -87.33654, -30, 0.625, 44.36142, 0.70710677, 1.4142135, -0.29289323, 0.41421354, 2 ** 27].map(Math.fround);
  borders.forEach((border, i) => {
    const around = 8 + 8 * i;
    x.fill(border, around, around + 8);
    for (let step = 0; step < 8; step++) bits[around + step] += step - 4;
  });
  const input = addon.allocate(heap, 0, x.length), result = addon.allocate(heap, 0, x.length);
  addon.write(heap, input, x);
  const exact = { ...Object.fromEntries(Object.keys(${JSON.stringify(MOST_ULP)}).map((op) => [op, Math[op]])),
    sigmoid: (v) => { const e = Math.exp(-Math.abs(v)); return (v < 0 ? e : 1) / (1 + e); } };
  const ulp = (v) => 2 ** (Math.max(-126, Math.floor(Math.log2(Math.max(Math.abs(v), 2 ** -126)))) - 23);
  const out = { isa: addon.isa };
  for (const [op, words] of programs) {
    addon.run(heap, addon.prepare(heap, Float64Array.from(words)), Float64Array.of(input, result));
    const y = new Float32Array(x.length);
    addon.read(heap, result, 0, y);
    let worst = 0, wrong = [];
    for (let i = 0; i < x.length; i++) {
      const expected = exact[op](x[i]), rounded = Math.fround(expected);
      if (Number.isFinite(rounded) && Number.isFinite(y[i])) worst = Math.max(worst, Math.abs(y[i] - expected) / ulp(expected));
      else if (!Object.is(rounded, y[i])) wrong.push(op + '(' + x[i] + ') = ' + y[i]);
    }
    out[op] = { worst, wrong: wrong.slice(0, 5) };
  }
  console.log(JSON.stringify(out));
`;

type Measured = { readonly isa: string } & Readonly<
  Record<Name, { readonly worst: number; readonly wrong: readonly string[] }>
>;

function measure(isa: string): Measured {
  const env = { ...process.env, GRADPACK_ISA: isa };
  const { stdout, stderr } = spawnSync(process.execPath, ['-'], {
    input: script,
    encoding: 'utf8',
    env,
    timeout: 60_000,
  });
  if (stderr) throw new Error(stderr);
  return JSON.parse(stdout) as Measured;
}

/** Those of the instruction sets that this processor has. */
const measured =
  available === true
    ? ['portable', 'avx2', 'avx512']
        .map((isa) => [isa, measure(isa)] as const)
        .filter(([isa, found]) => found.isa === isa)
    : [];

describe.skipIf(available !== true)(`functions of float32${available === true ? '' : `: ${available}`}`, () => {
  it('runs on the portable instruction set everywhere', () => {
    expect(measured.map(([isa]) => isa)).toContain('portable');
  });

  describe.each(measured)('%s', (_, found) => {
    it.each(Object.entries(MOST_ULP))('%s is within %d ulp, special values are right', (op, ulp) => {
      expect(found[op as Name].wrong).toEqual([]);
      expect(found[op as Name].worst).toBeLessThan(ulp);
    });
  });
});
