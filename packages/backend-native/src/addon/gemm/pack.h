// Panels: the layout that register tiles read. Rows of A: [k][m] for the m <= tiles.rows rows of one tile. Columns of B: [k][w] per
// panel of w columns, w = tiles.columns, or half of that where a last panel has no more; what is beyond the matrix is 0.
#pragma once
#include "../isa/tiles.h"

namespace gradpack {

/// Element (row, column) lies at p[row · rowStride + column · columnStride].
template <class Real> struct Matrix {
  const Real* p;
  std::ptrdiff_t rowStride, columnStride;
  Matrix at(std::ptrdiff_t row, std::ptrdiff_t column) const { return {p + row * rowStride + column * columnStride, rowStride, columnStride}; }
  Matrix transposed() const { return {p, columnStride, rowStride}; }
};

/// Width of the panel that begins with `left` columns to go.
template <class Real> std::ptrdiff_t panelWidth(const Tiles<Real>& tiles, std::ptrdiff_t left) { return left > tiles.columns / 2 ? tiles.columns : tiles.columns / 2; }
/// Floats of all panels of n columns and k steps.
template <class Real> std::ptrdiff_t panelSize(const Tiles<Real>& tiles, std::ptrdiff_t n, std::ptrdiff_t k) {
  const std::ptrdiff_t whole = n / tiles.columns * tiles.columns;
  return k * (n == whole ? whole : whole + panelWidth(tiles, n - whole));
}

/// d[q·ld + r] = A(r, q) for r < m <= tiles.columns, q < k.
template <class Real> void packSteps(const Tiles<Real>& tiles, const Matrix<Real>& A, std::ptrdiff_t m, std::ptrdiff_t k, Real* d, std::ptrdiff_t ld);

/// The same with everything multiplied by alpha.
template <class Real> void packScaled(const Tiles<Real>& tiles, const Matrix<Real>& A, std::ptrdiff_t m, std::ptrdiff_t k, Real alpha, Real* d, std::ptrdiff_t ld);

/// All panels of B's n columns and k rows.
template <class Real> void packColumns(const Tiles<Real>& tiles, const Matrix<Real>& B, std::ptrdiff_t k, std::ptrdiff_t n, Real* d);

/// A row of n numbers put into step q of the panels of k steps.
template <class Real> void packLine(const Tiles<Real>& tiles, const Real* line, std::ptrdiff_t k, std::ptrdiff_t q, std::ptrdiff_t n, Real* d);

}  // namespace gradpack
