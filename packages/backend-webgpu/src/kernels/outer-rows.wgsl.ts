import type { MatrixView, Operand, OuterRequest, OuterSpec, OuterTerm } from '@gradpack/core';
import type { Lowering, Span } from '../lowering/dispatch.js';
import { type KernelText, kernelText } from '../lowering/kernel-text.js';
import { type LoopPiece, operandAt, spanOf } from '../lowering/loops.js';
import { eachEntry, sumOfEntries, tileIndices, tiles, zeroTile } from '../lowering/tile.js';
import { declareTerm, type PrintedTerm } from './outer-term.wgsl.js';

/*
 * One request of `outer`. An invocation owns a few entries of θ for one row of the result (a column and sample that the request keeps
 * apart) and walks the columns and samples that it sums; G of its entries is in registers, and [N, *θ] is never written unless asked for.
 *
 * Entries: where a matrix term covers θ, a 4 × 4 tile (rows o, columns i = c·K + k) of its view, to which terms of that view add outer
 * products over t and other terms entry by entry; else one entry. `centred` is Welford's one pass.
 *
 * Bindings: what the terms read, weight, samples, table, result.
 */

/** Which rows a request keeps, and which columns and samples it sums. */
export interface RequestExtents {
  readonly keepsV: boolean;
  readonly keepsN: boolean;
  readonly V: number;
  readonly samples: number;
  readonly rowsV: number;
  readonly rowsN: number;
}

/** Tiles of θ, or its entries where no view covers it. */
export const blocksOf = (view: MatrixView | undefined, size: number): number =>
  view ? view.G * tiles(view.O) * tiles(view.C * view.K) : size;

export interface RowDispatch {
  readonly extents: RequestExtents;
  readonly view: MatrixView | undefined;
  /** Rows of this dispatch. */
  readonly piece: LoopPiece;
  /** Pieces that the samples are cut into. */
  readonly pieces: number;
  /** Invocations a row; each takes every `lanes`-th block of entries. */
  readonly lanes: number;
  readonly y: Operand;
  readonly to: { readonly v: number; readonly n: number; readonly piece: number };
  readonly accumulate: boolean;
}

export function dispatchRows(
  lowering: Lowering,
  spec: OuterSpec,
  request: OuterRequest,
  reads: readonly Operand[],
  rows: RowDispatch,
): void {
  const { N, size, terms } = spec;
  const { form, from, samples, cross = [] } = request;
  const { extents, view, piece, pieces, lanes, y, to, accumulate } = rows;
  const { keepsV, keepsN, V } = extents;
  const [firstV = 0, firstN = 0] = piece.first;
  const [rowsV = 1, rowsN = 1] = piece.shape;
  const [lastV, lastN] = [firstV + (keepsV ? rowsV : V), firstN + (keepsN ? rowsN : extents.samples)];
  const k = kernelText(lowering);
  for (const [name, value] of Object.entries({
    N,
    lanes,
    blocks: blocksOf(view, size),
    pieces,
    rows_n: rowsN,
    v_rows: keepsV ? 1 : V,
    from,
    first_v: from + firstV,
    first_n: firstN,
    last_n: lastN,
    per: keepsN ? 1 : Math.ceil(extents.samples / pieces),
    to_v: to.v,
    to_n: to.n,
    to_piece: to.piece,
  }))
    k.int(`row_${name}`, value);

  const spanOfGiven = (term: OuterTerm, base: number): Span | undefined => {
    if (term.kind !== 'given') return undefined;
    const [n0, n1] = keepsN && !samples ? [firstN, lastN] : [0, N];
    const columns = Math.min(term.V, base + lastV) - (base + firstV);
    return columns <= 0
      ? undefined
      : spanOf(
          [columns, n1 - n0, size],
          [term.strides.v, term.strides.n, 1],
          (base + firstV) * term.strides.v + n0 * term.strides.n,
        );
  };
  const own = terms.map((term, index) => declareTerm(k, `t${index}`, term, reads, view, spanOfGiven(term, from)));
  const other = cross.map((term, index) => declareTerm(k, `c${index}`, term, reads, view, spanOfGiven(term, 0)));
  const w = declareWeight(k, lowering, request, reads);
  const n = declareSample(k, lowering, request, reads);
  k.int('row_norm', form === 'norm' ? 1 : 0);
  const run = to.piece > 0 || form === 'norm' ? undefined : spanOf([rowsV, rowsN, size], [to.v, to.n, 1]);
  k.write('y', { ...y, offset: y.offset + firstV * to.v + firstN * to.n }, 'f32', false, run);
  k.int('row_adds', accumulate ? 1 : 0);

  const registers = view ? ['0', '1', '2', '3'] : [''];
  const zero = (name: string): string => (view ? zeroTile(name) : `var ${name} = 0.0;`);
  const each = (statement: (r: string) => string): string => registers.map(statement).join(' ');
  const square = (r: string): string => `sum${r} += w * g${r} * g${r};`;
  const gather = {
    plain: () => '',
    norm: square,
    square,
    cross: (r: string) => `sum${r} += 2.0 * g${r} * h${r};`,
    centred: (r: string) =>
      `let d${r} = g${r} - mean${r}; mean${r} += d${r} / met; sum${r} += d${r} * (g${r} - mean${r});`,
  }[form];
  const inside = [
    `let n = ${n};`,
    `let w = ${w};`,
    form === 'plain'
      ? addTerms(k, own, view, 'sum', 'v', 'w')
      : `${zero('g')}\n${addTerms(k, own, view, 'g', 'v', undefined)}`,
    form === 'cross' ? `${zero('h')}\n${addTerms(k, other, view, 'h', 'v - p.row_from', undefined)}` : '',
    form === 'centred' ? 'met += 1.0;' : '',
    each(gather),
  ];
  const walk = `${[...own, ...other].flatMap(({ fixed = [] }) => fixed).join('\n')}
${zero('sum')}
${form === 'centred' ? `${zero('mean')} var met = 0.0;` : ''}
for (var v = v_first; v < v_first + p.row_v_rows; v++) {
for (var j = j_first; j < j_last; j++) {
${inside.filter(Boolean).join('\n')}
}
}`;
  const keepsTotal = form === 'norm' || form === 'square';
  const value = (sum: string): string => (form === 'centred' ? `greatest(${sum} / met, 0.0)` : sum);
  if (form === 'centred') k.use('greatest');
  // a parameter and not text, for the same reason as weights
  k.declare(
    'fn store(at: i32, value: f32) { var sum = value; if (p.row_adds == 1) { sum += now_y(at); } put_y(at, sum); }',
  );
  const stored = view
    ? eachEntry(
        'sum',
        'row',
        'p.tile_O',
        'column',
        'p.tile_I',
        (c, sum) => `store(to + e_columns[${c}] + o4[r] * p.tile_o, ${value(sum)});`,
      )
    : `store(to + e, ${value('sum')});`;
  const summed = view ? sumOfEntries('sum', 'row', 'p.tile_O', 'column', 'p.tile_I') : 'sum';
  k.dispatch(
    rowsV * rowsN * pieces * lanes,
    `let piece = i / p.row_lanes % p.row_pieces; let kept = i / (p.row_lanes * p.row_pieces);
let v_row = kept / p.row_rows_n; let n_row = kept % p.row_rows_n;
let v_first = p.row_first_v + v_row;
let j_first = p.row_first_n + n_row + piece * p.row_per; let j_last = min(j_first + p.row_per, p.row_last_n);
let to = v_row * p.row_to_v + n_row * p.row_to_n + piece * p.row_to_piece;
${keepsTotal ? 'var total = 0.0;' : ''}
for (var block = i % p.row_lanes; block < p.row_blocks; block += p.row_lanes) {
${entries(k, view)}
${walk}
${keepsTotal ? `if (p.row_norm == 1) { total += ${summed}; } else {\n${stored}\n}` : stored}
}
${keepsTotal ? 'if (p.row_norm == 1) { put_y(to + i % p.row_lanes, total); }' : ''}`,
  );
}

/** Whether a dispatch can bind two more operands: weight and list, beside a table and the result. */
const hasRoom = ({ limits }: Lowering, reads: readonly Operand[]): boolean => reads.length + 4 <= limits.storageBuffers;

/**
 * The weight of column v and sample n. Where there is room whether a request has weights is a parameter and not text, so that one
 * pipeline serves both; absent weights read any operand and ignore it. Likewise `declareSample`.
 */
function declareWeight(k: KernelText, lowering: Lowering, { weight }: OuterRequest, reads: readonly Operand[]): string {
  const any = reads[0];
  const element = 'weight((v - p.row_from) * p.row_N + n)';
  if (any && hasRoom(lowering, reads)) {
    if (weight === undefined) k.read('weight', any, 'f32', [0, 1]);
    else k.read('weight', operandAt(reads, weight), 'f32');
    return `select(1.0, ${element}, ${k.int('row_weighted', weight === undefined ? 0 : 1)} == 1)`;
  }
  if (weight === undefined) return '1.0';
  k.read('weight', operandAt(reads, weight), 'f32');
  return element;
}

/** The sample at place j of the request. */
function declareSample(
  k: KernelText,
  lowering: Lowering,
  { samples }: OuterRequest,
  reads: readonly Operand[],
): string {
  const any = reads[0];
  if (any && hasRoom(lowering, reads)) {
    if (samples) k.read('listed', operandAt(reads, samples.list), 'i32');
    else k.read('listed', any, 'i32', [0, 1]);
    return `select(j, listed(j), ${k.int('row_listed', samples ? 1 : 0)} == 1)`;
  }
  if (!samples) return 'j';
  k.read('listed', operandAt(reads, samples.list), 'i32');
  return 'listed(j)';
}

/** The entries of block `block`. */
function entries(k: KernelText, view: MatrixView | undefined): string {
  if (!view) return 'let e = block;';
  const { O, C, K, strides } = view;
  for (const [name, value] of Object.entries({ O, I: C * K, K, rows: tiles(O), columns: tiles(C * K), ...strides }))
    k.int(`tile_${name}`, value);
  return `let column = block % p.tile_columns; let row = block / p.tile_columns % p.tile_rows; let g = block / (p.tile_columns * p.tile_rows);
let o4 = ${tileIndices('row', 'p.tile_O')}; let i4 = ${tileIndices('column', 'p.tile_I')};
let e_columns = vec4i(g * p.tile_g) + i4 / vec4i(p.tile_K) * p.tile_c + i4 % vec4i(p.tile_K) * p.tile_k;`;
}

/** Adds terms at column `column` and sample n to the registers `target`. */
function addTerms(
  k: KernelText,
  terms: readonly PrintedTerm[],
  view: MatrixView | undefined,
  target: string,
  column: string,
  weight: string | undefined,
): string {
  const w = weight === undefined ? '' : `${weight} * `;
  const tiled = terms.flatMap(({ columns, tile }) =>
    tile
      ? [`if (${column} < ${columns}) {\n${column === 'v' ? '' : `let v = ${column};\n`}${tile(target, weight)}\n}`]
      : [],
  );
  const single = terms.filter(({ tile }) => !tile);
  if (single.length === 0) return tiled.join('\n');
  // one function of all of them, called at one place: drivers inline it, and sixteen copies take seconds to compile
  const entry = `${target}_entry`;
  k.declare(
    `fn ${entry}(v: i32, n: i32, e: i32) -> f32 {\nvar sum = 0.0;\n${single.map((term) => `if (v < ${term.columns}) { sum += ${term.entry}(v, n, e); }`).join('\n')}\nreturn sum;\n}`,
  );
  if (!view) return [...tiled, `${target} += ${w}${entry}(${column}, n, e);`].join('\n');
  const names = [0, 1, 2, 3];
  return [
    ...tiled,
    `{
var more = array<vec4f, 4>();
for (var q = 0; q < 16; q++) { more[q >> 2u][q & 3] = ${entry}(${column}, n, e_columns[q & 3] + o4[q >> 2u] * p.tile_o); }
${names.map((r) => `${target}${r} += ${w}more[${r}];`).join(' ')}
}`,
  ].join('\n');
}
