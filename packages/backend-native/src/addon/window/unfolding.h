// The rows (channel, kernel offset) and columns (output positions) of an unfolded image, which is never stored.
#pragma once
#include "../isa/lanes.h"
#include "frame.h"

namespace gradpack {

template <class Real> class Unfolding {
 public:
  /// Of `F` rows: channels times kernel offsets.
  Unfolding(const Window& window, std::int64_t F);

  std::int64_t offsets() const { return frame_.offsets; }
  std::int64_t inputs() const { return frame_.inputs; }
  std::int64_t outputs() const { return frame_.outputs; }

  /// Some channels of an image as a frame.
  struct Channels {
    const Real* frame;
    std::int64_t first;
  };
  /// What rows [f, f + m) read of an image whose channels lie `stride` apart: where it lies, or laid in Scratch::frame.
  Channels lay(const Real* image, std::ptrdiff_t stride, std::int64_t f, std::int64_t m) const;

  /// d[q·ld + r] = entry (f + r, t + q) for r < m <= a panel's columns, q < count, and 0 up to the end of a vector of r. t is a multiple of
  /// `grain`, and so is count unless it reaches the last output.
  void pack(const Channels& channels, std::int64_t f, std::int64_t m, std::int64_t t, std::int64_t count, Real* d, std::ptrdiff_t ld) const;
  static constexpr std::int64_t grain = 64;

  /// Entry (f, t) of an image; its row f in `line`.
  Real entry(const Real* image, std::ptrdiff_t stride, std::int64_t f, std::int64_t t) const;
  void row(const Real* image, std::ptrdiff_t stride, std::int64_t f, Real* line) const;

 private:
  Frame frame_;
  Lanes lanes_;
  /// Where row f begins in a frame of all channels, and where the positions of a frame lie in the image (−1: they are 0).
  std::vector<std::int32_t> rows_, origins_;
};

}  // namespace gradpack
