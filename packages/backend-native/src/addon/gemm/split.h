#pragma once
#include <algorithm>
#include <cstddef>

namespace gradpack {

inline std::ptrdiff_t ceilDivide(std::ptrdiff_t n, std::ptrdiff_t by) { return (n + by - 1) / by; }

/// [0, n) cut into parts of at most `most` whose sizes differ by at most one.
struct Split {
  std::ptrdiff_t count, base, more;
  Split(std::ptrdiff_t n, std::ptrdiff_t most) : count(ceilDivide(n, most)), base(n / count), more(n % count) {}
  std::ptrdiff_t at(std::ptrdiff_t i) const { return i * base + std::min(i, more); }
  std::ptrdiff_t size(std::ptrdiff_t i) const { return base + (i < more ? 1 : 0); }
  /// The part that has number x of [0, n).
  std::ptrdiff_t part(std::ptrdiff_t x) const { return x < at(more) ? x / (base + 1) : more + (x - at(more)) / base; }
};

}  // namespace gradpack
