// Reads the words of an encoded program (encode.ts writes them). Words are doubles: whole numbers up to 2⁵³ and constants alike.
#pragma once
#include <cmath>
#include <cstdint>
#include <vector>

#include "../failure.h"
#include "extent.h"

namespace gradpack {

using Shape = std::vector<std::int64_t>;

inline std::int64_t sizeOf(const Shape& shape) {
  std::int64_t size = 1;
  for (const std::int64_t extent : shape) size = checkedProduct(size, extent);
  return size;
}

class Reader {
 public:
  Reader(const double* at, const double* end) : at_(at), end_(end) {}

  double number() {
    if (at_ == end_) failInternal("the program's words end too early");
    return *at_++;
  }
  std::int64_t integer() {
    const double x = number();
    if (!(std::fabs(x) <= static_cast<double>(mostElements)) || x != std::floor(x)) failInternal("a word of the program is not a whole number in range");
    return static_cast<std::int64_t>(x);
  }
  /// A whole number in [from, to).
  std::int64_t within(std::int64_t from, std::int64_t to) {
    const std::int64_t x = integer();
    if (x < from || x >= to) failInternal("a word of the program is " + std::to_string(x) + ", outside [" + std::to_string(from) + ", " + std::to_string(to) + ")");
    return x;
  }
  /// A size: at least 1.
  std::int64_t extent() { return within(1, mostElements); }
  bool flag() { return within(0, 2) == 1; }
  /// How many of something follow.
  int count(int most = 1 << 20) { return static_cast<int>(within(0, most + 1)); }

  Shape numbers(int count) {
    Shape result;
    for (int i = 0; i < count; i++) result.push_back(integer());
    return result;
  }
  Shape extents(int count) {
    Shape result;
    for (int i = 0; i < count; i++) result.push_back(extent());
    sizeOf(result);
    return result;
  }

  /// A reader of the next `count` words, which are skipped here.
  Reader part(std::int64_t count) {
    if (count < 0 || count > end_ - at_) failInternal("the program's words end too early");
    at_ += count;
    return {at_ - count, at_};
  }
  void expectEnd() const {
    if (at_ != end_) failInternal("the program has words that nothing reads");
  }

 private:
  const double* at_;
  const double* end_;
};

/// Most axes of a shape in a program.
constexpr int mostAxes = 24;

}  // namespace gradpack
