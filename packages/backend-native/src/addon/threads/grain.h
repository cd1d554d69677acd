#pragma once
#include <cstddef>

namespace gradpack {

/// How many pieces of work make one task: 20 µs, below which waking a thread costs more than it brings.
inline std::ptrdiff_t grainOf(double nanosecondsPerPiece) {
  constexpr double task = 20e3;
  return nanosecondsPerPiece >= task ? 1 : static_cast<std::ptrdiff_t>(task / nanosecondsPerPiece) + 1;
}

}  // namespace gradpack
