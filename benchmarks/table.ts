import type { Row } from './results.js';

/** Of one problem, as Markdown. Multiples compare medians that were timed in the same rounds; columns without a value are left out. */
export function tableOf(rows: readonly Row[]): string {
  const columns = COLUMNS.map(({ title, align, cell }) => [title, align, ...rows.map((row, i) => cell(row, rows, i))]);
  const filled = columns.filter(([, , ...cells]) => cells.some((cell) => cell !== ''));
  return markdown(['title', 'align', ...rows].map((_, i) => filled.map((column) => column[i] ?? '')));
}

interface Column {
  readonly title: string;
  readonly align: ':-' | '-:';
  cell(row: Row, rows: readonly Row[], i: number): string;
}

const COLUMNS: readonly Column[] = [
  {
    title: 'quantity',
    align: ':-',
    cell: (row, rows, i) => (row.quantity === rows[i - 1]?.quantity ? '' : row.quantity),
  },
  {
    title: 'N',
    align: '-:',
    cell: (row, rows, i) => (row.quantity === rows[i - 1]?.quantity ? '' : String(row.batch)),
  },
  { title: 'implementation', align: ':-', cell: ({ implementation }) => implementation },
  { title: 'ms', align: '-:', cell: ({ medianMs }) => digits(medianMs) },
  { title: 'min', align: '-:', cell: ({ minMs }) => digits(minMs) },
  { title: '× own gradient', align: '-:', cell: ({ medianMs, gradientMs }) => multiple(medianMs, gradientMs) },
  {
    title: "× torch's gradient",
    align: '-:',
    cell: ({ medianMs, torchGradientMs }) => multiple(medianMs, torchGradientMs),
  },
  {
    title: '× BackPACK',
    align: '-:',
    cell: (row, rows) => multiple(row.medianMs, medianOf(rows, row.quantity, 'backpack')),
  },
  { title: 'and read, ms', align: '-:', cell: ({ readMs }) => (readMs === undefined ? '' : digits(readMs)) },
  {
    title: 'MB',
    align: '-:',
    cell: ({ peakBytes }) => (peakBytes === undefined ? '' : String(Math.round(peakBytes / 1e6))),
  },
];

export function medianOf(rows: readonly Row[], quantity: string, implementation: string): number | undefined {
  return rows.find((row) => row.quantity === quantity && row.implementation === implementation)?.medianMs;
}

/** Three digits, or all before the point. */
const digits = (value: number): string => (value < 100 ? value.toPrecision(3) : value.toFixed(0));

export const multiple = (ms: number | undefined, of: number | undefined): string =>
  ms === undefined || of === undefined ? '' : digits(ms / of);

export function markdown(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const right = (rows[1] ?? []).map((align) => align.endsWith(':'));
  const cell = (text: string, i: number) => (right[i] ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0));
  return rows.map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');
}
