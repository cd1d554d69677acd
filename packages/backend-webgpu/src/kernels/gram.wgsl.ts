import { GradPackError, type Kernel, type Operand } from '@gradpack/core';
import { FEW_INVOCATIONS, type Lowering } from '../lowering/dispatch.js';
import { kernelText } from '../lowering/kernel-text.js';
import { operandAt } from '../lowering/loops.js';
import { addOuterProduct, eachEntry, tileIndices, tiles, zeroTile } from '../lowering/tile.js';
import { declareFactor } from './factor.wgsl.js';
import { sumPieces } from './reduce.wgsl.js';

/*
 * gram: B[g] (+)= scale · Σ f fᵀ over factors, columns, samples and positions (`each`), or over columns and samples of the factors'
 * sums over positions (`sum`). An invocation keeps a 4 × 4 tile on or above the diagonal and stores it twice. Samples are cut into
 * pieces, summed in order from a temporary [pieces, G, F, F], where there are few tiles. Bindings: factors, table, B.
 */
export function gram(
  lowering: Lowering,
  { factors, positions, from, to, scale, accumulate }: Kernel['gram'],
  reads: readonly Operand[],
  writes: readonly Operand[],
): void {
  const [first] = factors;
  if (!first)
    throw new GradPackError('GRADPACK-INTERNAL', 'a gram call has no factors', {
      where: 'webgpu prepare',
      fix: 'this is a defect of what recorded the program; please report it',
    });
  const { G, F, N } = first;
  const y = operandAt(writes, 0);
  const cells = G * tiles(F) ** 2;
  const work = (to - from) * N * factors.reduce((sum, factor) => sum + factor.T, 0);
  const per = Math.ceil(N / Math.max(1, Math.min(Math.ceil(FEW_INVOCATIONS / cells), N, Math.ceil(work / 64))));
  const pieces = Math.ceil(N / per);
  const partials = pieces === 1 ? undefined : lowering.temporary(pieces * G * F * F);

  const k = kernelText(lowering);
  factors.forEach((factor, index) => {
    k.int(`f${index}_V`, factor.V);
    declareFactor(k, `f${index}`, factor, operandAt(reads, factor.read));
  });
  k.write('y', partials ?? y, 'f32', !partials && accumulate);
  for (const [name, value] of Object.entries({ G, F, N, per, first_v: from, last_v: to, tiles: tiles(F) }))
    k.int(name, value);
  k.float('scale', partials ? 1 : scale);
  k.declare(`fn store(to: i32, row: i32, column: i32, value: f32, mirrored: bool) {
put_y(to + row * p.F + column, value);
if (mirrored) { put_y(to + column * p.F + row, value); }
}`);
  const walk = (inner: string): string =>
    factors
      .map(
        (_, index) => `if (v < p.f${index}_V) {
let start = f${index}_start(v, n);
for (var t = 0; t < p.f${index}_T; t++) {
let x = f${index}_four(r${index}_rows + vec4i(start), r${index}_taps, t);
let y = f${index}_four(c${index}_rows + vec4i(start), c${index}_taps, t);
${inner}
}
}`,
      )
      .join('\n');
  const body =
    positions === 'each'
      ? walk(addOuterProduct('sum', 'x', 'y'))
      : `var rows = vec4f(); var columns = vec4f();\n${walk('rows += x; columns += y;')}\n${addOuterProduct('sum', 'rows', 'columns')}`;
  k.dispatch(
    cells * pieces,
    `let column = i % p.tiles; let row = i / p.tiles % p.tiles; let g = i / (p.tiles * p.tiles) % p.G; let piece = i / (p.tiles * p.tiles * p.G);
if (column < row) { return; }
let r4 = ${tileIndices('row', 'p.F')}; let c4 = ${tileIndices('column', 'p.F')};
${factors.map((_, index) => `let r${index}_rows = f${index}_rows(g, r4); let r${index}_taps = f${index}_taps(r4); let c${index}_rows = f${index}_rows(g, c4); let c${index}_taps = f${index}_taps(c4);`).join('\n')}
${zeroTile('sum')}
for (var v = p.first_v; v < p.last_v; v++) {
for (var n = piece * p.per; n < min(piece * p.per + p.per, p.N); n++) {
${body}
}
}
let to = (piece * p.G + g) * p.F * p.F;
${eachEntry('sum', 'row', 'p.F', 'column', 'p.F', (c, value) => `store(to, r4[r], c4[${c}], p.scale * ${value}, row != column);`)}`,
  );
  if (partials) sumPieces(lowering, partials, pieces, [G, F, F], [F * F, F, 1], y, scale, accumulate);
}
