// The loops around the register tile, written once for every instruction set and every source of panels (matrices, unfolded images).
#pragma once
#include "../memory/scratch.h"
#include "pack.h"
#include "split.h"

namespace gradpack {

/// Steps of a block: a panel of a tile's columns stays in or beside L1, a block of A's rows in L2. Fewer steps for wide tiles, whose panels
/// are larger; with narrow ones 512 instead of 384 make 1024³ a tenth faster on Zen 3, since C is gone through less often.
template <class Real> std::ptrdiff_t blockSteps(const Tiles<Real>& tiles) {
  const std::ptrdiff_t bytes = static_cast<std::ptrdiff_t>(sizeof(Real));
  return (tiles.columns * bytes > 64 ? 384 : 512) * 4 / bytes;
}
constexpr std::ptrdiff_t blockRows = 168, blockColumns = 1024;

/// Floating-point operations below which waking a thread costs more than it brings (about 20 µs of one core).
constexpr double worthSharing = 2e6;

/// Where a product goes: element (m, n) at p[m · rowStride + n · columnStride], added or replaced.
template <class Real> struct Target {
  Real* p;
  std::ptrdiff_t rowStride, columnStride;
  bool add;
  Target at(std::ptrdiff_t row, std::ptrdiff_t column) const { return {p + row * rowStride + column * columnStride, rowStride, columnStride, add}; }
};

/// One tile of m rows and w <= width columns, at the edge or across strides by way of a small buffer.
template <class Real>
inline void multiplyTile(const Tiles<Real>& tiles, std::ptrdiff_t m, std::ptrdiff_t w, std::ptrdiff_t width, std::ptrdiff_t k, const Real* a, std::ptrdiff_t la, const Real* b, std::ptrdiff_t lb, const Target<Real>& c) {
  const Tile<Real> tile = (width == tiles.columns ? tiles.wide : tiles.narrow)[m];
  if (w == width && c.columnStride == 1) return tile(k, a, la, b, lb, c.p, c.rowStride, c.add);
  alignas(64) Real edge[Tiles<Real>::mostRows * Tiles<Real>::mostColumns];
  tile(k, a, la, b, lb, edge, width, false);
  if (c.rowStride == 1 && !c.add) return tiles.transpose(edge, width, static_cast<int>(m), w, c.p, c.columnStride);
  for (std::ptrdiff_t i = 0; i < m; i++) {
    Real* to = c.p + i * c.rowStride;
    const Real* from = edge + i * width;
    if (c.add)
      for (std::ptrdiff_t j = 0; j < w; j++) to[j * c.columnStride] += from[j];
    else
      for (std::ptrdiff_t j = 0; j < w; j++) to[j * c.columnStride] = from[j];
  }
}

/// Packed rows (tile after tile, row i of the split at a + i·k) times packed panels of n columns.
template <class Real> void multiplyPanels(const Tiles<Real>& tiles, const Split& rows, std::ptrdiff_t n, std::ptrdiff_t k, const Real* a, const Real* b, const Target<Real>& c) {
  for (std::ptrdiff_t j = 0; j < n; j += tiles.columns) {
    const std::ptrdiff_t width = panelWidth(tiles, n - j), w = std::min<std::ptrdiff_t>(width, n - j);
    for (std::ptrdiff_t i = 0; i < rows.count; i++) multiplyTile(tiles, rows.size(i), w, width, k, a + rows.at(i) * k, rows.size(i), b, width, c.at(rows.at(i), j));
    b += k * width;
  }
}

/// A whole matrix of packed rows, made once and read by many tasks: for each block of steps all tiles, one after another.
template <class Real> struct PackedRows {
  Split rows, steps;
  std::ptrdiff_t M, K;
  Real* data;

  PackedRows(const Tiles<Real>& tiles, std::ptrdiff_t M, std::ptrdiff_t K, Real* data) : rows(M, tiles.rows), steps(K, blockSteps(tiles)), M(M), K(K), data(data) {}
  static std::ptrdiff_t size(std::ptrdiff_t M, std::ptrdiff_t K) { return M * K; }
  /// `tile(i, k, m, kk, d)` packs rows [i, i + m) and steps [k, k + kk).
  template <class PackTile> void pack(const PackTile& tile) const {
    for (std::ptrdiff_t s = 0; s < steps.count; s++) packSteps(s, 0, rows.count, tile);
  }
  /// Tiles [from, from + count) of block `s` of the steps.
  template <class PackTile> void packSteps(std::ptrdiff_t s, std::ptrdiff_t from, std::ptrdiff_t count, const PackTile& tile) const {
    for (std::ptrdiff_t i = from; i < from + count; i++) tile(rows.at(i), steps.at(s), rows.size(i), steps.size(s), data + steps.at(s) * M + rows.at(i) * steps.size(s));
  }
};

/// C (+)= A B on the calling thread, A packed already; `columns(k, kk, j, n, d)` packs steps [k, k + kk) of columns [j, j + n).
template <class Real, class Columns> void multiplyPacked(const Tiles<Real>& tiles, const PackedRows<Real>& A, std::ptrdiff_t N, const Columns& columns, const Target<Real>& C) {
  const Split& steps = A.steps;
  const std::ptrdiff_t across = std::min(N, blockColumns);
  Real* panels = scratch<Real>(Scratch::columns, panelSize(tiles, across, steps.size(0)));
  for (std::ptrdiff_t j = 0; j < N; j += across) {
    const std::ptrdiff_t n = std::min(across, N - j);
    for (std::ptrdiff_t s = 0; s < steps.count; s++) {
      const std::ptrdiff_t k = steps.at(s), kk = steps.size(s);
      columns(k, kk, j, n, panels);
      Target<Real> to = C.at(0, j);
      to.add = C.add || s > 0;
      multiplyPanels(tiles, A.rows, n, kk, A.data + k * A.M, panels, to);
    }
  }
}

/// C (+)= alpha A B on up to `threads` threads (1: the caller alone). Panels of B are packed together, then blocks of rows are tasks.
template <class Real> void multiply(int threads, std::ptrdiff_t M, std::ptrdiff_t N, std::ptrdiff_t K, Real alpha, const Matrix<Real>& A, const Matrix<Real>& B, const Target<Real>& C);

}  // namespace gradpack
