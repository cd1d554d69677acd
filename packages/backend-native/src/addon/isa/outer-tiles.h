// Register tiles of outer products: what is asked of a piece of G[v, n] is taken while it is in registers.
#pragma once
#include <cstddef>

#include "tiles.h"

namespace gradpack {

/// What becomes of a tile of G. Cells are rows of the tile's width, one after another; null: not asked for.
template <class Real> struct TileReductions {
  /// += sumWeight G, += squareWeight G²
  Real *sum = nullptr, *square = nullptr;
  Real sumWeight = 1, squareWeight = 1;
  /// Welford's update with sample number 1/`share`: mean += (G − mean) share, spread += (G − old mean)(G − new mean).
  Real *mean = nullptr, *spread = nullptr;
  Real share = 1;
  /// `lanes` partial sums of G²
  Real* norm = nullptr;
  /// G itself, as cells
  Real* cells = nullptr;
  /// The first `valid` columns of G, rows `stride` apart; with `stream` (whole rows only, aligned to a tile's width) past the caches.
  Real* each = nullptr;
  std::ptrdiff_t stride = 0;
  int valid = 0;
  bool stream = false;
};

/// G[m][n] = Σ_k a[k·la + m] b[k·lb + n]. Height and width are the function's own.
template <class Real> using OuterTile = void (*)(std::ptrdiff_t k, const Real* a, std::ptrdiff_t la, const Real* b, std::ptrdiff_t lb, const TileReductions<Real>& out);

/// sum = Σ_k a b and spread = Σ_k (a b − share · sum)² as cells: of rank-one G their total and what they deviate from their mean.
template <class Real> using SpreadTile = void (*)(std::ptrdiff_t k, const Real* a, std::ptrdiff_t la, const Real* b, std::ptrdiff_t lb, Real share, Real* sum, Real* spread);

/// Widths are those of `Tiles`; heights of `OuterTile` too, those of `SpreadTile` are 1 … spreadRows.
template <class Real> struct OuterTiles {
  int lanes, spreadRows;
  OuterTile<Real> wide[Tiles<Real>::mostRows + 1], narrow[Tiles<Real>::mostRows + 1];
  SpreadTile<Real> spreadWide[Tiles<Real>::mostRows + 1], spreadNarrow[Tiles<Real>::mostRows + 1];
  /// For r < m: y[r·ld + i] = a[r] x[i], i < n. With `stream` (ld a multiple of lanes, y aligned) past the caches.
  void (*scaledRows)(const Real* a, std::ptrdiff_t m, const Real* x, std::ptrdiff_t n, Real* y, std::ptrdiff_t ld, bool stream);
};

}  // namespace gradpack
