/*
 * Register tiles: an invocation computes 4 × 4 entries of a matrix in four vec4f, one a row. Rows and columns beyond the edge are
 * clamped (they repeat the last one) and left out when the tile is stored, so that inner loops have no branches.
 */

const TILE = 4;

export const tiles = (extent: number): number => Math.ceil(extent / TILE);

const REGISTERS = [0, 1, 2, 3] as const;
const LETTERS = ['x', 'y', 'z', 'w'] as const;

/** `var name0 = vec4f(); …` */
export function zeroTile(name: string): string {
  return REGISTERS.map((r) => `var ${name}${r} = vec4f();`).join(' ');
}

/** `name += rows ⊗ columns`. */
export function addOuterProduct(name: string, rows: string, columns: string): string {
  return REGISTERS.map((r) => `${name}${r} += ${rows}.${LETTERS[r]} * ${columns};`).join(' ');
}

/** `vec4f(read(index.x), …)`: four elements of an operand. */
export function gatherVector(read: string, index: string, type: 'vec4f' | 'vec4i' = 'vec4f'): string {
  return `${type}(${LETTERS.map((letter) => `${read}(${index}.${letter})`).join(', ')})`;
}

/** The four clamped indices of tile `block` along an axis. */
export function tileIndices(block: string, extent: string): string {
  return `min(vec4i(${block} * ${TILE}) + vec4i(0, 1, 2, 3), vec4i(${extent} - 1))`;
}

/**
 * `statement(c, value)` for each entry of tile `name` that exists, in row `r`. Rows are a loop and columns are not: drivers need as long
 * to compile sixteen copies of a store as for all the rest, and one store in two loops runs slowly where many are made.
 */
export function eachEntry(
  name: string,
  rowBlock: string,
  rows: string,
  columnBlock: string,
  columns: string,
  statement: (c: number, value: string) => string,
): string {
  return `var values = array<vec4f, 4>(${REGISTERS.map((r) => `${name}${r}`).join(', ')});
for (var r = 0; r < min(${TILE}, ${rows} - ${rowBlock} * ${TILE}); r++) {
let value = values[r];
${LETTERS.map((letter, c) => `if (${columnBlock} * ${TILE} + ${c} < ${columns}) { ${statement(c, `value.${letter}`)} }`).join('\n')}
}`;
}

/** The sum of the entries of tile `name` that exist. */
export function sumOfEntries(
  name: string,
  rowBlock: string,
  rows: string,
  columnBlock: string,
  columns: string,
): string {
  const row = (r: number): string =>
    `dot(vec4f(1.0), select(vec4f(), ${name}${r}, vec4<bool>(${REGISTERS.map((c) => `${columnBlock} * ${TILE} + ${c} < ${columns}`).join(', ')}) & vec4<bool>(${rowBlock} * ${TILE} + ${r} < ${rows})))`;
  return REGISTERS.map(row).join(' + ');
}
