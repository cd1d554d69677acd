// The smallest and largest element that a strided access touches, in checked arithmetic.
#pragma once
#include <algorithm>
#include <cstdint>

#include "../failure.h"

namespace gradpack {

/// No tensor has more elements, and no stride or offset is larger: far below where sums of products overflow.
constexpr std::int64_t mostElements = std::int64_t{1} << 48;

inline std::int64_t checkedProduct(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product) || product > mostElements || product < -mostElements) failInternal("a size or stride is out of range");
  return product;
}

struct Extent {
  std::int64_t low = 0, high = 0;

  /// `count` steps (at least one) of `stride`.
  Extent& axis(std::int64_t count, std::int64_t stride) {
    const std::int64_t reach = checkedProduct(count - 1, stride);
    return shift(std::min<std::int64_t>(reach, 0), std::max<std::int64_t>(reach, 0));
  }
  Extent& shift(std::int64_t down, std::int64_t up) {
    low += down, high += up;
    if (low < -mostElements || high > mostElements) failInternal("a size or stride is out of range");
    return *this;
  }
  /// 0 … count − 1
  static Extent contiguous(std::int64_t count) { return Extent{}.axis(count, 1); }
};

}  // namespace gradpack
