// The frame of a window: a copy of an image's channel in which unfolding is nothing but adding offsets. Output t reads, at kernel
// offset k, frame[columns[t] + taps[k]]: for every padding, stride, dilation and also for transposed windows.
// - Padding of any mode is written out (and folded back by the adjoint).
// - A stride s > 1 sorts positions by their remainders (phases), so that the columns of one output row are neighbours.
// - A transposed window reads an image with stride − 1 zeros between its entries.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "window.h"

namespace gradpack {

class Frame {
 public:
  explicit Frame(const Window& window);

  /// Positions of an image, kernel offsets, outputs, and positions of the frame.
  std::int64_t inputs, offsets, outputs, size;
  /// [outputs] and [offsets]
  std::vector<std::int32_t> columns, taps;
  /// [size]: the image position that lies there, −1 where there is none.
  std::vector<std::int32_t> origins() const;
  /// Whether an image is its own frame.
  bool isImage() const { return image_; }

  /// frame [channels, size] of x [channels, inputs], whose channels lie `stride` apart.
  template <class Real> void lay(const Real* x, std::ptrdiff_t stride, std::int64_t channels, Real* frame) const;
  /// The adjoint: x (+)= what the frame's positions hold of it.
  template <class Real> void collect(const Real* frame, std::int64_t channels, Real* x, std::ptrdiff_t stride, bool add) const;

  /// The same with channels last: frame [size, channels], collected from positions `ld` apart. Both work in Scratch::image.
  template <class Real> void layChannelsLast(const Real* x, std::ptrdiff_t stride, std::int64_t channels, Real* frame) const;
  template <class Real> void collectChannelsLast(const Real* frame, std::ptrdiff_t ld, std::int64_t channels, Real* x, std::ptrdiff_t stride, bool add) const;

 private:
  /// Image positions p, p + stepP, … are frame positions q, q + stepQ, …; the rest of the frame is 0.
  struct Piece {
    std::int32_t p, q, count, stepP, stepQ;
  };
  std::vector<Piece> pieces_;
  /// Whether every position of the frame holds one of the image.
  bool full_, image_;
};

}  // namespace gradpack
