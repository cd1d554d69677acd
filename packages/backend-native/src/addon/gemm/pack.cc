#include "pack.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace gradpack {
namespace {

/// k rows of `width` numbers: of known width they are a few instructions, where a call of memmove for each takes as long as the tile's arithmetic.
template <int width, class Real> void copyRows(std::ptrdiff_t k, const Real* s, std::ptrdiff_t ls, Real* d, std::ptrdiff_t ld) {
  for (std::ptrdiff_t q = 0; q < k; q++, s += ls, d += ld) std::memcpy(d, s, width * sizeof(Real));
}

template <class Real, int... width> constexpr auto rowCopiers(std::integer_sequence<int, width...>) { return std::array{copyRows<width, Real>...}; }

/// Of up to 16 numbers, and of the widths of panels.
template <class Real> void copyRowsOf(std::ptrdiff_t width, std::ptrdiff_t k, const Real* s, std::ptrdiff_t ls, Real* d, std::ptrdiff_t ld) {
  static constexpr auto copiers = rowCopiers<Real>(std::make_integer_sequence<int, Tiles<Real>::mostRows + 1>{});
  if (width < static_cast<std::ptrdiff_t>(copiers.size())) copiers[static_cast<std::size_t>(width)](k, s, ls, d, ld);
  else if (width == 32) copyRows<32>(k, s, ls, d, ld);
  else
    for (std::ptrdiff_t q = 0; q < k; q++, s += ls, d += ld) std::copy_n(s, width, d);
}

}  // namespace

template <class Real> void packSteps(const Tiles<Real>& tiles, const Matrix<Real>& A, std::ptrdiff_t m, std::ptrdiff_t k, Real* d, std::ptrdiff_t ld) {
  if (A.columnStride == 1 && A.rowStride != 1 && k > 1) {
    tiles.transpose(A.p, A.rowStride, static_cast<int>(m), k, d, ld);
    return;
  }
  if (A.rowStride == 1) return copyRowsOf(m, k, A.p, A.columnStride, d, ld);
  const Real* s = A.p;
  for (std::ptrdiff_t q = 0; q < k; q++, s += A.columnStride, d += ld)
    for (std::ptrdiff_t r = 0; r < m; r++) d[r] = s[r * A.rowStride];
}

template <class Real> void packScaled(const Tiles<Real>& tiles, const Matrix<Real>& A, std::ptrdiff_t m, std::ptrdiff_t k, Real alpha, Real* d, std::ptrdiff_t ld) {
  packSteps(tiles, A, m, k, d, ld);
  if (alpha == 1) return;
  for (std::ptrdiff_t q = 0; q < k; q++, d += ld)
    for (std::ptrdiff_t r = 0; r < m; r++) d[r] *= alpha;
}

template <class Real> void packColumns(const Tiles<Real>& tiles, const Matrix<Real>& B, std::ptrdiff_t k, std::ptrdiff_t n, Real* d) {
  const std::ptrdiff_t wide = tiles.columns;
  std::ptrdiff_t j = 0;
  // eight panels at a time with rows outermost: long contiguous reads and few pages (44 → 74 GFLOP/s at a row stride of 32768)
  for (; B.columnStride == 1 && j + wide <= n;) {
    const std::ptrdiff_t panels = std::min<std::ptrdiff_t>(8, (n - j) / wide);
    const Real* s = B.p + j;
    for (std::ptrdiff_t q = 0; q < k; q++, s += B.rowStride) {
      Real* o = d + q * wide;
      const Real* t = s;
      for (std::ptrdiff_t p = 0; p < panels; p++, o += k * wide, t += wide) {
        __builtin_prefetch(t + 4 * B.rowStride);
        std::copy_n(t, wide, o);
      }
    }
    d += panels * k * wide;
    j += panels * wide;
  }
  for (; j < n; j += wide) {
    const std::ptrdiff_t w = std::min(wide, n - j), width = panelWidth(tiles, n - j);
    packSteps(tiles, B.at(0, j).transposed(), w, k, d, width);
    for (std::ptrdiff_t q = 0; q < k && w < width; q++) std::fill(d + q * width + w, d + (q + 1) * width, Real(0));
    d += k * width;
  }
}

template <class Real> void packLine(const Tiles<Real>& tiles, const Real* line, std::ptrdiff_t k, std::ptrdiff_t q, std::ptrdiff_t n, Real* d) {
  const std::ptrdiff_t wide = tiles.columns;
  std::ptrdiff_t j = 0;
  for (; j + wide <= n; j += wide, d += k * wide) std::copy_n(line + j, wide, d + q * wide);
  if (j == n) return;
  const std::ptrdiff_t width = panelWidth(tiles, n - j);
  Real* o = d + q * width;
  std::copy(line + j, line + n, o);
  std::fill(o + (n - j), o + width, Real(0));
}

#define GRADPACK_PACK(Real)                                                                                                        \
  template void packSteps<Real>(const Tiles<Real>&, const Matrix<Real>&, std::ptrdiff_t, std::ptrdiff_t, Real*, std::ptrdiff_t);    \
  template void packScaled<Real>(const Tiles<Real>&, const Matrix<Real>&, std::ptrdiff_t, std::ptrdiff_t, Real, Real*, std::ptrdiff_t); \
  template void packColumns<Real>(const Tiles<Real>&, const Matrix<Real>&, std::ptrdiff_t, std::ptrdiff_t, Real*);                  \
  template void packLine<Real>(const Tiles<Real>&, const Real*, std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t, Real*);
GRADPACK_PACK(float)
GRADPACK_PACK(double)
#undef GRADPACK_PACK

}  // namespace gradpack
