import type { ConvolutionSpec, Kernel, Operand } from '@gradpack/core';
import { sizeOf } from '@gradpack/core';
import type { Lowering } from '../lowering/dispatch.js';
import { type KernelText, kernelText } from '../lowering/kernel-text.js';
import { operandAt } from '../lowering/loops.js';
import { addOuterProduct, eachEntry, gatherVector, tileIndices, tiles, zeroTile } from '../lowering/tile.js';
import { declarePositions, declareReaders } from '../lowering/window-tables.js';

/*
 * convolve: y[v,n,gO+o,t] (+)= [bias[gO+o] +] Σ_{c,k} W[v][view(g,o,c,k)] x[v,n,gC+c,p(k,t)] with W [V|1, *θ], x [V|1, N, G·C, S], y [V, N, G·O, T].
 * An invocation keeps 4 output channels × 4 samples at one position in registers and walks k, then c; positions p(k,t) come from a table
 * made on the host, so any number of axes and any padding is one kernel. Bindings: x, W, table, y, bias.
 *
 * convolveTransposed: the adjoint in x: 4 input channels × 4 samples at one position; it walks the (k, t) that read the position, again
 * from a table, then o. Nothing is scattered. Bindings: y, W, table, x.
 *
 * Samples of all columns are one axis where they share W; else tiles stay within a column.
 */

/** Declares the extents, and how (column, sample) pairs are cut into tiles; returns the number of tiles of pairs. */
function declareExtents(k: KernelText, { V, N, xPerColumn, weightPerColumn, view, window }: ConvolutionSpec): number {
  const { G, O, C, K, strides } = view;
  const apart = weightPerColumn && V > 1;
  const pairs = apart ? N : V * N;
  const extents = {
    N,
    G,
    O,
    C,
    K,
    S: sizeOf(window.input),
    T: sizeOf(window.output),
    w_v: apart ? G * O * C * K : 0,
    w_g: strides.g,
    w_o: strides.o,
    w_c: strides.c,
    w_k: strides.k,
    one_column: xPerColumn ? 0 : 1,
    pairs,
    pair_tiles: tiles(pairs),
  };
  for (const [name, value] of Object.entries(extents)) k.int(name, value);
  return (apart ? V : 1) * tiles(pairs);
}

/** Names the tile of invocation `i`: position, channels `row`, group `g`, samples `pair`; `source` are the samples' rows where they are read. */
function tileText(positions: string, rows: string): string {
  return `let s = i % ${positions}; let row = i / ${positions} % ${rows}; let g = i / (${positions} * ${rows}) % p.G; let tile = i / (${positions} * ${rows} * p.G);
let pair = tile % p.pair_tiles; let v = tile / p.pair_tiles;
let pairs = vec4i(v * p.pairs) + ${tileIndices('pair', 'p.pairs')};
let source = select(pairs, pairs % vec4i(p.N), p.one_column == 1);`;
}

export function convolve(
  lowering: Lowering,
  spec: Kernel['convolve'],
  reads: readonly Operand[],
  writes: readonly Operand[],
): void {
  const { view, window } = spec;
  const k = kernelText(lowering);
  const samples = declareExtents(k, spec);
  if (spec.bias) k.read('bias', operandAt(reads, 2), 'f32');
  const start = spec.bias ? 'bias(g * p.O + row * 4 + r) + ' : '';
  k.read('x', operandAt(reads, 0), 'f32');
  k.read('w', operandAt(reads, 1), 'f32');
  declarePositions(k, 'position', window);
  k.write('y', operandAt(writes, 0), 'f32', spec.accumulate);
  const rows = tiles(view.O);
  k.int('rows', rows);
  k.dispatch(
    samples * view.G * rows * sizeOf(window.output),
    `${tileText('p.T', 'p.rows')}
let w_first = vec4i(p.at_w + v * p.w_v + g * p.w_g) + ${tileIndices('row', 'p.O')} * p.w_o;
let x_first = vec4i(p.at_x) + (source * p.G + vec4i(g)) * p.C * p.S;
${zeroTile('y')}
for (var k = 0; k < p.K; k++) {
let at = position(k * p.T + s);
if (at < 0) { continue; }
var x_to = x_first + vec4i(at);
var w_to = w_first + vec4i(k * p.w_k);
for (var c = 0; c < p.C; c++) {
let a = ${gatherVector('w_at', 'w_to')};
let b = ${gatherVector('x_at', 'x_to')};
${addOuterProduct('y', 'a', 'b')}
w_to += vec4i(p.w_c); x_to += vec4i(p.S);
}
}
let to = (pairs * p.G + vec4i(g)) * p.O * p.T + vec4i(row * 4 * p.T + s);
${eachEntry('y', 'row', 'p.O', 'pair', 'p.pairs', (c, value) => `put_y(to[${c}] + r * p.T, ${start}${value});`)}`,
  );
}

export function convolveTransposed(
  lowering: Lowering,
  spec: ConvolutionSpec,
  reads: readonly Operand[],
  writes: readonly Operand[],
): void {
  const { view, window } = spec;
  const k = kernelText(lowering);
  const samples = declareExtents(k, spec);
  k.read('y', operandAt(reads, 0), 'f32');
  k.read('w', operandAt(reads, 1), 'f32');
  declareReaders(k, 'readers', window);
  k.write('x', operandAt(writes, 0), 'f32', spec.accumulate);
  const rows = tiles(view.C);
  k.int('rows', rows);
  k.dispatch(
    samples * view.G * rows * sizeOf(window.input),
    `${tileText('p.S', 'p.rows')}
let w_first = vec4i(p.at_w + v * p.w_v + g * p.w_g) + ${tileIndices('row', 'p.C')} * p.w_c;
let y_first = vec4i(p.at_y) + (source * p.G + vec4i(g)) * p.O * p.T;
${zeroTile('x')}
for (var j = readers(s); j < readers(s + 1); j += 2) {
var w_to = w_first + vec4i(readers(j) * p.w_k);
var y_to = y_first + vec4i(readers(j + 1));
for (var o = 0; o < p.O; o++) {
let a = ${gatherVector('w_at', 'w_to')};
let b = ${gatherVector('y_at', 'y_to')};
${addOuterProduct('x', 'a', 'b')}
w_to += vec4i(p.w_o); y_to += vec4i(p.T);
}
}
let to = (pairs * p.G + vec4i(g)) * p.C * p.S + vec4i(row * 4 * p.S + s);
${eachEntry('x', 'row', 'p.C', 'pair', 'p.pairs', (c, value) => `put_x(to[${c}] + r * p.S, ${value});`)}`,
  );
}
