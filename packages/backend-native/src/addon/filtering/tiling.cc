#include "tiling.h"

#include "../memory/scratch.h"

namespace gradpack {

bool isFilterable(const Window& window) {
  if (window.input().size() != 2 || window.transposed() || !window.zeros()) return false;
  for (std::size_t axis = 0; axis < 2; axis++)
    if (window.stride()[axis] != 1 || window.dilation()[axis] != 1 || window.kernel()[axis] < shortestWinograd || window.kernel()[axis] > longestWinograd) return false;
  return true;
}

Tiling::Tiling(const Shape& kernel, const Shape& to) {
  for (std::size_t axis = 0; axis < to.size(); axis++) {
    tile.push_back(winogradPoints + 1 - kernel[axis]);
    tiles.push_back(ceilDivide(to[axis], tile[axis]));
  }
}

namespace {

/// From the first position of the first patch to the last of the last.
Shape paddedExtents(const Tiling& tiling, const Shape& extent) {
  Shape padded;
  for (std::size_t axis = 0; axis < extent.size(); axis++) padded.push_back((tiling.tiles[axis] - 1) * tiling.tile[axis] + extent[axis]);
  return padded;
}

}  // namespace

template <class Real>
TilePoints<Real>::TilePoints(const Tiling& tiling, const Shape& image, const Shape& low, const Shape& extent, const WinogradPass<Real> (&passes)[2])
    : tiling_(tiling), extent_(extent), padded_(paddedExtents(tiling, extent)), frame_(Window(image, {1, 1}, padded_, {1, 1}, low)), passes_{passes[0], passes[1]} {}

template <class Real> void TilePoints<Real>::transform(const Real* x, std::ptrdiff_t stride, std::int64_t channels, Real* to, std::ptrdiff_t ld, std::ptrdiff_t apart) const {
  constexpr int n = winogradPoints;
  const std::int64_t W = isa<Real>().winograd.width;
  // a patch is read in whole vectors
  Real* frame = scratch<Real>(Scratch::frame, frame_.size * channels + W);
  frame_.layChannelsLast(x, stride, channels, frame);
  alignas(64) Real half[tilePoints * Tiles<Real>::mostColumns / 2];
  for (std::int64_t i = 0; i < tiling_.tiles[0]; i++)
    for (std::int64_t j = 0; j < tiling_.tiles[1]; j++, to += ld)
      for (std::int64_t c = 0; c < channels; c += W) {
        passes_[0](frame + (i * tiling_.tile[0] * padded_[1] + j * tiling_.tile[1]) * channels + c, channels, padded_[1] * channels, half, W, n * W, extent_[1]);
        passes_[1](half, n * W, W, to + c, n * apart, apart, n);
      }
}

template class TilePoints<float>;
template class TilePoints<double>;

}  // namespace gradpack
