// What the matrix kernels need from an instruction set: register tiles on packed panels, and a transpose for packing.
#pragma once
#include <cstddef>
#include <cstdint>

namespace gradpack {

/// C[m][n] = or += Σ_k a[k·la + m] b[k·lb + n]; C has row stride lc. Height and width are the function's own.
template <class Real>
using Tile = void (*)(std::ptrdiff_t k, const Real* a, std::ptrdiff_t la, const Real* b, std::ptrdiff_t lb, Real* c, std::ptrdiff_t lc, bool add);

/// The same of rows in blocks of a vector of steps, as transforms make them: element (m, k) at a[(k / lanes · M + m) lanes + k % lanes], M the height.
template <class Real> using BlockedTile = void (*)(std::ptrdiff_t k, const Real* a, const Real* b, std::ptrdiff_t lb, Real* c, std::ptrdiff_t lc);

/// The same with row m of C at c + rows[m], always added.
template <class Real>
using ScatterTile = void (*)(std::ptrdiff_t k, const Real* a, std::ptrdiff_t la, const Real* b, std::ptrdiff_t lb, Real* c, const std::int32_t* rows);

/// Tiles have any height from 1 to `rows` (index = height), so that rows are split evenly and never padded, and a width of `columns` or half of that.
template <class Real> struct Tiles {
  static constexpr int mostRows = 16, mostColumns = 64;
  int rows, columns;
  Tile<Real> wide[mostRows + 1], narrow[mostRows + 1];
  BlockedTile<Real> wideBlocked[mostRows + 1], narrowBlocked[mostRows + 1];
  ScatterTile<Real> wideScatter[mostRows + 1], narrowScatter[mostRows + 1];
  /// d[q·ld + r] = s[r·ls + q] for r < m, q < n.
  void (*transpose)(const Real* s, std::ptrdiff_t ls, int m, std::ptrdiff_t n, Real* d, std::ptrdiff_t ld);
};

}  // namespace gradpack
