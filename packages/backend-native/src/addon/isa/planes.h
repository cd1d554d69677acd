// What pooling needs from an instruction set: `width` planes side by side, [position][plane], so that each window is a loop over vectors.
#pragma once
#include <cstddef>
#include <cstdint>

namespace gradpack {

/// Of the results r < n, result r is made of the entries entry[first[r]] … entry[first[r + 1] − 1].
template <class Real> struct PlaneKernels {
  int width;
  /// y[r] = the largest entry of x, index[r] = origin + where it is: the first of equals, the first NaN; −∞ and 0 without entries.
  /// All entries lie below `span`.
  void (*largest)(const Real* x, std::ptrdiff_t span, const std::int32_t* first, const std::int32_t* entry, std::ptrdiff_t n, std::int32_t origin, Real* y, std::int32_t* index);
  /// y[r] = the sum of its entries of x.
  void (*sum)(const Real* x, const std::int32_t* first, const std::int32_t* entry, std::ptrdiff_t n, Real* y);
  /// x[p] /= divisors[p], p < n
  void (*divide)(const Real* divisors, std::ptrdiff_t n, Real* x);
};

}  // namespace gradpack
