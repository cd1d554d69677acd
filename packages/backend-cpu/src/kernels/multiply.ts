import type { TypedArray } from '@gradpack/core';

/** Entry (r, c) of a matrix is `data[at + r·row + c·column]`. */
export interface Matrix {
  readonly data: TypedArray;
  readonly at: number;
  readonly row: number;
  readonly column: number;
}

/** Rows of A and columns of B that one micro-kernel holds in registers. */
const TILE = 4;
const K_BLOCK = 256;
const M_BLOCK = 64;
const N_BLOCK = 512;

/** Below this many products packing costs more than it saves. */
const SMALL = 2048;

const packedA = new Float64Array(M_BLOCK * K_BLOCK);
const packedB = new Float64Array(N_BLOCK * K_BLOCK);

/** `C[m,n] (+)= alpha Σ_k A[m,k] B[k,n]`. C must not overlap A or B. */
export function multiply(
  M: number,
  N: number,
  K: number,
  a: Matrix,
  b: Matrix,
  c: Matrix,
  alpha: number,
  accumulate: boolean,
): void {
  if (K === 1) multiplyVectors(M, N, a, b, c, alpha, accumulate);
  else if (M < TILE || N < TILE || M * N * K < SMALL) multiplySmall(M, N, K, a, b, c, alpha, accumulate);
  else multiplyBlocked(M, N, K, a, b, c, alpha, accumulate);
}

function multiplyVectors(
  M: number,
  N: number,
  a: Matrix,
  b: Matrix,
  c: Matrix,
  alpha: number,
  accumulate: boolean,
): void {
  for (let m = 0; m < M; m++) {
    const factor = alpha * (a.data[a.at + m * a.row] as number);
    const to = c.at + m * c.row;
    if (accumulate) addScaled(N, factor, b.data, b.at, b.column, c.data, to, c.column);
    else writeScaled(N, factor, b.data, b.at, b.column, c.data, to, c.column);
  }
}

function addScaled(
  N: number,
  factor: number,
  from: TypedArray,
  fromAt: number,
  fromStride: number,
  to: TypedArray,
  toAt: number,
  toStride: number,
): void {
  let p = fromAt;
  let q = toAt;
  for (let n = 0; n < N; n++, p += fromStride, q += toStride) to[q] = (to[q] as number) + factor * (from[p] as number);
}

function writeScaled(
  N: number,
  factor: number,
  from: TypedArray,
  fromAt: number,
  fromStride: number,
  to: TypedArray,
  toAt: number,
  toStride: number,
): void {
  let p = fromAt;
  let q = toAt;
  for (let n = 0; n < N; n++, p += fromStride, q += toStride) to[q] = factor * (from[p] as number);
}

const sums = new Float64Array(N_BLOCK);

/** Few products, or one thin side: dot products where k is near in memory, else sums of rows of B. */
function multiplySmall(
  M: number,
  N: number,
  K: number,
  a: Matrix,
  b: Matrix,
  c: Matrix,
  alpha: number,
  accumulate: boolean,
): void {
  const byRows = Math.abs(b.column) < Math.abs(b.row) && N >= TILE;
  for (let m = 0; m < M; m++)
    for (let n0 = 0; n0 < N; n0 += N_BLOCK) {
      const width = Math.min(N_BLOCK, N - n0);
      if (byRows) addRows(width, K, a, a.at + m * a.row, b, b.at + n0 * b.column);
      else dotColumns(width, K, a, a.at + m * a.row, b, b.at + n0 * b.column);
      let to = c.at + m * c.row + n0 * c.column;
      for (let n = 0; n < width; n++, to += c.column) {
        const value = alpha * (sums[n] as number);
        c.data[to] = accumulate ? (c.data[to] as number) + value : value;
      }
    }
}

function addRows(width: number, K: number, a: Matrix, aAt: number, b: Matrix, bAt: number): void {
  sums.fill(0, 0, width);
  for (let k = 0; k < K; k++) {
    const factor = a.data[aAt + k * a.column] as number;
    let from = bAt + k * b.row;
    for (let n = 0; n < width; n++, from += b.column) sums[n] = (sums[n] as number) + factor * (b.data[from] as number);
  }
}

function dotColumns(width: number, K: number, a: Matrix, aAt: number, b: Matrix, bAt: number): void {
  for (let n = 0; n < width; n++) {
    let sum = 0;
    let left = aAt;
    let right = bAt + n * b.column;
    for (let k = 0; k < K; k++, left += a.column, right += b.row)
      sum += (a.data[left] as number) * (b.data[right] as number);
    sums[n] = sum;
  }
}

/** Goto's loops: a block of B in panels of 4 columns (1 MB), a block of A in panels of 4 rows (128 KB), 4×4 sums in registers. */
function multiplyBlocked(
  M: number,
  N: number,
  K: number,
  a: Matrix,
  b: Matrix,
  c: Matrix,
  alpha: number,
  accumulate: boolean,
): void {
  for (let n0 = 0; n0 < N; n0 += N_BLOCK) {
    const width = Math.min(N_BLOCK, N - n0);
    for (let k0 = 0; k0 < K; k0 += K_BLOCK) {
      const depth = Math.min(K_BLOCK, K - k0);
      pack(packedB, width, depth, b.data, b.at + k0 * b.row + n0 * b.column, b.column, b.row);
      for (let m0 = 0; m0 < M; m0 += M_BLOCK) {
        const height = Math.min(M_BLOCK, M - m0);
        pack(packedA, height, depth, a.data, a.at + m0 * a.row + k0 * a.column, a.row, a.column);
        const add = accumulate || k0 > 0;
        for (let n = 0; n < width; n += TILE)
          for (let m = 0; m < height; m += TILE) {
            tile(depth, m * depth, n * depth);
            const rows = Math.min(TILE, height - m);
            const columns = Math.min(TILE, width - n);
            put(rows, columns, c.data, c.at + (m0 + m) * c.row + (n0 + n) * c.column, c.row, c.column, alpha, add);
          }
      }
    }
  }
}

/** Panels of 4 lanes (rows of A, columns of B), in each one depth after the other; missing lanes are 0. */
function pack(
  to: Float64Array,
  lanes: number,
  depth: number,
  from: TypedArray,
  at: number,
  laneStride: number,
  depthStride: number,
): void {
  for (let lane = 0; lane < lanes; lane += TILE) {
    let target = lane * depth;
    let p = at + lane * laneStride;
    if (lanes - lane >= TILE) {
      for (let d = 0; d < depth; d++, target += TILE, p += depthStride) {
        to[target] = from[p] as number;
        to[target + 1] = from[p + laneStride] as number;
        to[target + 2] = from[p + 2 * laneStride] as number;
        to[target + 3] = from[p + 3 * laneStride] as number;
      }
    } else {
      const present = lanes - lane;
      for (let d = 0; d < depth; d++, target += TILE, p += depthStride)
        for (let i = 0; i < TILE; i++) to[target + i] = i < present ? (from[p + i * laneStride] as number) : 0;
    }
  }
}

const products = new Float64Array(TILE * TILE);

/** `products[i,j] = Σ_k A[i,k] B[k,j]` of two packed panels. */
function tile(depth: number, a: number, b: number): void {
  let c00 = 0;
  let c01 = 0;
  let c02 = 0;
  let c03 = 0;
  let c10 = 0;
  let c11 = 0;
  let c12 = 0;
  let c13 = 0;
  let c20 = 0;
  let c21 = 0;
  let c22 = 0;
  let c23 = 0;
  let c30 = 0;
  let c31 = 0;
  let c32 = 0;
  let c33 = 0;
  let p = a;
  let q = b;
  for (let k = 0; k < depth; k++, p += TILE, q += TILE) {
    const b0 = packedB[q] as number;
    const b1 = packedB[q + 1] as number;
    const b2 = packedB[q + 2] as number;
    const b3 = packedB[q + 3] as number;
    const a0 = packedA[p] as number;
    c00 += a0 * b0;
    c01 += a0 * b1;
    c02 += a0 * b2;
    c03 += a0 * b3;
    const a1 = packedA[p + 1] as number;
    c10 += a1 * b0;
    c11 += a1 * b1;
    c12 += a1 * b2;
    c13 += a1 * b3;
    const a2 = packedA[p + 2] as number;
    c20 += a2 * b0;
    c21 += a2 * b1;
    c22 += a2 * b2;
    c23 += a2 * b3;
    const a3 = packedA[p + 3] as number;
    c30 += a3 * b0;
    c31 += a3 * b1;
    c32 += a3 * b2;
    c33 += a3 * b3;
  }
  products[0] = c00;
  products[1] = c01;
  products[2] = c02;
  products[3] = c03;
  products[4] = c10;
  products[5] = c11;
  products[6] = c12;
  products[7] = c13;
  products[8] = c20;
  products[9] = c21;
  products[10] = c22;
  products[11] = c23;
  products[12] = c30;
  products[13] = c31;
  products[14] = c32;
  products[15] = c33;
}

function put(
  rows: number,
  columns: number,
  to: TypedArray,
  at: number,
  row: number,
  column: number,
  alpha: number,
  add: boolean,
): void {
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const p = at + i * row + j * column;
      const value = alpha * (products[i * TILE + j] as number);
      to[p] = add ? (to[p] as number) + value : value;
    }
}
