import type { FactorSpec, Operand } from '@gradpack/core';
import { sizeOf } from '@gradpack/core';
import type { KernelText } from '../lowering/kernel-text.js';
import { gatherVector } from '../lowering/tile.js';
import { declarePositions } from '../lowering/window-tables.js';

/**
 * Declares a factor [V, N, G, F, T] as functions:
 *
 * - `name_rows(g, f: vec4i) -> vec4i` and `name_taps(f: vec4i) -> vec4i`: what four entries f have of their own, `name_start(v, n)`: what
 *   columns and samples add to rows
 * - `name_four(rows + start, taps, t) -> vec4f`: the four entries at t
 * - `name_one(v, n, g, f, t) -> f32`: one entry
 *
 * and the parameter `p.name_T`. A factor with one column ignores v. Unfolded factors are never written: p(k, t) comes from a table.
 */
export function declareFactor(k: KernelText, name: string, factor: FactorSpec, operand: Operand): void {
  k.read(name, operand, 'f32');
  const { strides } = factor;
  k.int(`${name}_T`, factor.T);
  k.int(`${name}_v`, factor.V === 1 ? 0 : strides.v);
  k.int(`${name}_n`, strides.n);
  k.int(`${name}_g`, strides.g);
  k.declare(`fn ${name}_start(v: i32, n: i32) -> i32 { return v * p.${name}_v + n * p.${name}_n; }`);
  const rows = `fn ${name}_rows(g: i32, f: vec4i) -> vec4i { return vec4i(p.at_${name} + g * p.${name}_g)`;
  const base = `p.at_${name} + g * p.${name}_g + ${name}_start(v, n)`;
  if (factor.form === 'dense') {
    k.int(`${name}_f`, factor.strides.f);
    k.int(`${name}_t`, factor.strides.t);
    k.declare(`${rows} + f * p.${name}_f; }
fn ${name}_taps(f: vec4i) -> vec4i { return vec4i(); }
fn ${name}_four(rows: vec4i, taps: vec4i, t: i32) -> vec4f { let at = rows + vec4i(t * p.${name}_t); return ${gatherVector(`${name}_at`, 'at')}; }
fn ${name}_one(v: i32, n: i32, g: i32, f: i32, t: i32) -> f32 { return ${name}_at(${base} + f * p.${name}_f + t * p.${name}_t); }`);
    return;
  }
  const K = k.int(`${name}_K`, sizeOf(factor.window.kernel));
  k.int(`${name}_c`, factor.strides.c);
  declarePositions(k, `${name}_position`, factor.window);
  k.declare(`${rows} + f / vec4i(${K}) * p.${name}_c; }
fn ${name}_taps(f: vec4i) -> vec4i { return f % vec4i(${K}) * p.${name}_T; }
fn ${name}_four(rows: vec4i, taps: vec4i, t: i32) -> vec4f {
let tap = taps + vec4i(t);
let place = ${gatherVector(`${name}_position`, 'tap', 'vec4i')};
let at = rows + max(place, vec4i(0));
return select(vec4f(), ${gatherVector(`${name}_at`, 'at')}, place >= vec4i(0));
}
fn ${name}_one(v: i32, n: i32, g: i32, f: i32, t: i32) -> f32 {
let place = ${name}_position(f % ${K} * p.${name}_T + t);
if (place < 0) { return 0.0; }
return ${name}_at(${base} + f / ${K} * p.${name}_c + place);
}`);
}
