// Panels of an unfolded image: columns are its rows (channel, kernel offset), steps its output positions.
#pragma once
#include "../isa/lanes.h"
#include "frame.h"

namespace gradpack {

template <class Real> class Unfolding {
 public:
  explicit Unfolding(const Window& window);

  /// Whether channels that lie so far apart are within reach of the tabled offsets.
  bool reaches(std::ptrdiff_t stride) const;

  /// d[q·ld + r] = entry (f + r, t + q) for r < m <= a panel's columns, q < count, and 0 up to the end of a vector of r. t is a multiple of
  /// `grain`, and so is count unless it reaches the last output. The image's channels lie `stride` apart. Works in Scratch::image.
  void pack(const Real* image, std::ptrdiff_t stride, std::int64_t f, std::int64_t m, std::int64_t t, std::int64_t count, Real* d, std::ptrdiff_t ld) const;

  static constexpr std::int64_t grain = 64;

 private:
  Frame frame_;
  Lanes lanes_;
};

}  // namespace gradpack
