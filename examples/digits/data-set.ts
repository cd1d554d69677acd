export const SIDE = 8;
const PIXELS = SIDE * SIDE;
const BRIGHTEST = 16;

/** Images with labels, n of them. */
export interface DataSet {
  readonly count: number;
  /** [n, 1, 8, 8], from 0 to 1 */
  readonly images: Float32Array<ArrayBuffer>;
  /** [n] */
  readonly labels: Int32Array<ArrayBuffer>;
}

/** One image a line: 64 pixels from 0 to 16, then the label. */
export function parseDigits(csv: string): DataSet {
  const rows = csv
    .trim()
    .split('\n')
    .map((line) => line.split(',').map(Number));
  const images = Float32Array.from(rows.flatMap((row) => row.slice(0, PIXELS).map((pixel) => pixel / BRIGHTEST)));
  return { count: rows.length, images, labels: Int32Array.from(rows, (row) => row[PIXELS] ?? -1) };
}

/** The images of some rows, in the form that a net takes. */
export function batchOf({ images, labels }: DataSet, rows: readonly number[]): Batch {
  const data = new Float32Array(rows.length * PIXELS);
  rows.forEach((row, i) => {
    data.set(images.subarray(row * PIXELS, (row + 1) * PIXELS), i * PIXELS);
  });
  return {
    images: { shape: [rows.length, 1, SIDE, SIDE], data },
    labels: Int32Array.from(rows, (row) => labels[row] ?? -1),
  };
}

export interface Batch {
  readonly images: { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> };
  readonly labels: Int32Array<ArrayBuffer>;
}

/** The pixels of one image, row by row. */
export function imageOf({ images }: DataSet, row: number): Float32Array {
  return images.subarray(row * PIXELS, (row + 1) * PIXELS);
}

/** Rows in pieces of `size`, the last one smaller. */
export function inBatches(rows: readonly number[], size: number): readonly (readonly number[])[] {
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, i) => rows.slice(i * size, (i + 1) * size));
}

export function allRows({ count }: DataSet): readonly number[] {
  return Array.from({ length: count }, (_, row) => row);
}
