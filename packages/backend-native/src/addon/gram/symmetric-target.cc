#include "symmetric-target.h"

#include <algorithm>

namespace gradpack {

template <class Real> void SymmetricTarget<Real>::emit(const Tiles<Real>& tiles, std::ptrdiff_t i, std::ptrdiff_t m, std::ptrdiff_t j, std::ptrdiff_t w, Real* s, std::ptrdiff_t ls) const {
  for (std::ptrdiff_t r = 0; r < m && scale != 1; r++)
    for (std::ptrdiff_t c = 0; c < w; c++) s[r * ls + c] *= scale;
  emitRows(B + i * F + j, s, ls, m, w);
  if (i == j) return;
  Real* mirror = B + j * F + i;
  if (!add) return tiles.transpose(s, ls, static_cast<int>(m), w, mirror, F);
  alignas(64) Real turned[Tiles<Real>::mostColumns * Tiles<Real>::mostColumns];
  tiles.transpose(s, ls, static_cast<int>(m), w, turned, m);
  emitRows(mirror, turned, m, w, m);
}

template <class Real> void SymmetricTarget<Real>::emitRows(Real* to, const Real* s, std::ptrdiff_t ls, std::ptrdiff_t m, std::ptrdiff_t w) const {
  for (std::ptrdiff_t r = 0; r < m; r++, to += F, s += ls) {
    if (!add) std::copy_n(s, w, to);
    else
      for (std::ptrdiff_t c = 0; c < w; c++) to[c] += s[c];
  }
}

template struct SymmetricTarget<float>;
template struct SymmetricTarget<double>;

}  // namespace gradpack
