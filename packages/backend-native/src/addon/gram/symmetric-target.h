// Where a symmetric product goes: B [F, F] (+)= scale · S, of which S is known on and above the diagonal of panels only.
#pragma once
#include "../gemm/pack.h"

namespace gradpack {

template <class Real> struct SymmetricTarget {
  Real* B;
  std::ptrdiff_t F;
  Real scale;
  bool add;

  /// Rows [i, i + m), columns [j, j + w) of S (m, w <= tiles.columns), which are scaled where they lie; off the diagonal also their mirror image.
  void emit(const Tiles<Real>& tiles, std::ptrdiff_t i, std::ptrdiff_t m, std::ptrdiff_t j, std::ptrdiff_t w, Real* s, std::ptrdiff_t ls) const;

 private:
  void emitRows(Real* to, const Real* s, std::ptrdiff_t ls, std::ptrdiff_t m, std::ptrdiff_t w) const;
};

}  // namespace gradpack
