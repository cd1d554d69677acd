import type { Row } from './results.js';

/** The rows of one problem as a Markdown table: per implementation the median, its multiple of the gradient's, and memory. */
export function tableOf(rows: readonly Row[]): string {
  const implementations = [...new Set(rows.map((row) => row.implementation))];
  const find = (quantity: string, implementation: string): Row | undefined =>
    rows.find((row) => row.quantity === quantity && row.implementation === implementation);
  const head = ['quantity', 'N', ...implementations.flatMap((name) => [`${name}, ms`, 'min', '× gradient', 'MB'])];
  const body = [...new Set(rows.map((row) => row.quantity))].map((quantity) => [
    quantity,
    String(rows.find((row) => row.quantity === quantity)?.batch ?? ''),
    ...implementations.flatMap((implementation) => cells(find(quantity, implementation))),
  ]);
  return markdown([head, head.map((_, column) => (column === 0 ? ':-' : '-:')), ...body]);
}

function cells(row: Row | undefined): readonly string[] {
  if (!row) return ['', '', '', ''];
  const { medianMs, minMs, gradientMs, peakBytes } = row;
  return [
    milliseconds(medianMs),
    milliseconds(minMs),
    (medianMs / gradientMs).toFixed(2),
    String(Math.round(peakBytes / 1e6)),
  ];
}

const milliseconds = (ms: number): string => (ms < 100 ? ms.toPrecision(3) : ms.toFixed(0));

function markdown(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`,
    )
    .join('\n');
}
