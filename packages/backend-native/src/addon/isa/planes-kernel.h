// Pooling of planes side by side in GCC's vector extensions. In an unnamed namespace, see tile-kernel.h.
#pragma once
#include <limits>
#include <type_traits>

#include "elementwise-kernel.h"
#include "planes.h"
#include "tile-kernel.h"

namespace gradpack {
namespace {

/// Without NaN a comparison and a choice are all that lies between two entries of a window.
template <class Real, int Bytes, bool mayBeNaN>
void largestOfPlanes(const Real* x, const std::int32_t* first, const std::int32_t* entry, std::ptrdiff_t n, std::int32_t origin, Real* y, std::int32_t* index) {
  using V = typename Vector<Real, Bytes>::type;
  using Loose = typename Vector<Real, Bytes>::loose;
  using Whole = std::conditional_t<sizeof(Real) == 4, std::int32_t, std::int64_t>;
  using Places = typename Vector<Whole, Bytes>::type;
  constexpr int lanes = Vector<Real, Bytes>::lanes;
  using Index = typename Vector<std::int32_t, 4 * lanes>::loose;
  for (std::ptrdiff_t r = 0; r < n; r++, y += lanes, index += lanes) {
    const std::int32_t *at = entry + first[r], *const end = entry + first[r + 1];
    V best = V{} - std::numeric_limits<Real>::infinity();
    Places place{};
    if (at != end) {
      best = *reinterpret_cast<const Loose*>(x + std::ptrdiff_t{*at} * lanes);
      place += origin + *at++;
    }
    for (; at != end; at++) {
      const V value = *reinterpret_cast<const Loose*>(x + std::ptrdiff_t{*at} * lanes);
      const Places here = Places{} + (origin + *at);
      if constexpr (mayBeNaN) {
        const Places better = ~(value <= best) & (best == best);  // larger, or NaN where there was none
        place = better ? here : place;
        best = better ? value : best;
      } else {
        place = value > best ? here : place;
        best = value > best ? value : best;
      }
    }
    *reinterpret_cast<Loose*>(y) = best;
    *reinterpret_cast<Index*>(index) = __builtin_convertvector(place, Index);
  }
}

template <class Real, int Bytes>
void largestOf(const Real* x, std::ptrdiff_t span, const std::int32_t* first, const std::int32_t* entry, std::ptrdiff_t n, std::int32_t origin, Real* y, std::int32_t* index) {
  const bool numbers = finiteRow<Real, Bytes>(x, span * Vector<Real, Bytes>::lanes);
  (numbers ? largestOfPlanes<Real, Bytes, false> : largestOfPlanes<Real, Bytes, true>)(x, first, entry, n, origin, y, index);
}

template <class Real, int Bytes> void sumOfPlanes(const Real* x, const std::int32_t* first, const std::int32_t* entry, std::ptrdiff_t n, Real* y) {
  using V = typename Vector<Real, Bytes>::type;
  using Loose = typename Vector<Real, Bytes>::loose;
  constexpr int lanes = Vector<Real, Bytes>::lanes;
  for (std::ptrdiff_t r = 0; r < n; r++, y += lanes) {
    V total{};
    for (std::int32_t i = first[r]; i < first[r + 1]; i++) total += *reinterpret_cast<const Loose*>(x + std::ptrdiff_t{entry[i]} * lanes);
    *reinterpret_cast<Loose*>(y) = total;
  }
}

template <class Real, int Bytes> void dividePlanes(const Real* divisors, std::ptrdiff_t n, Real* x) {
  using Loose = typename Vector<Real, Bytes>::loose;
  constexpr int lanes = Vector<Real, Bytes>::lanes;
  for (std::ptrdiff_t p = 0; p < n; p++, x += lanes) *reinterpret_cast<Loose*>(x) /= divisors[p];
}

template <class Real, int Bytes> PlaneKernels<Real> makePlanes() {
  return {Vector<Real, Bytes>::lanes, largestOf<Real, Bytes>, sumOfPlanes<Real, Bytes>, dividePlanes<Real, Bytes>};
}

}  // namespace
}  // namespace gradpack
