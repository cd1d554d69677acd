#include "tiling.h"

#include <algorithm>

#include "../memory/scratch.h"

namespace gradpack {

bool isFilterable(const Window& window) {
  if (window.input().size() != 2 || window.transposed() || !window.zeros()) return false;
  for (std::size_t axis = 0; axis < 2; axis++)
    if (window.stride()[axis] != 1 || window.dilation()[axis] != 1 || window.kernel()[axis] < shortestWinograd || window.kernel()[axis] > longestWinograd) return false;
  return true;
}

Tiling::Tiling(const Shape& kernel, const Shape& outputs) {
  for (std::size_t axis = 0; axis < outputs.size(); axis++) {
    tile.push_back(winogradPoints + 1 - kernel[axis]);
    tiles.push_back(ceilDivide(outputs[axis], tile[axis]));
  }
}

template <class Real> const Real* TilePoints<Real>::lay(const Real* x, std::ptrdiff_t stride, std::int64_t channels, std::int64_t row, std::int64_t rows, std::int64_t across) const {
  const Tiles<Real>& tiles = isa<Real>().tiles;
  Real* frame = scratch<Real>(Scratch::frame, rows * across * channels + isa<Real>().winograd.width);
  // what lies in the image: rows [top, bottom) and columns [left, right) of the frame
  const auto inside = [](std::int64_t at, std::int64_t extent) { return std::clamp<std::int64_t>(at, 0, extent); };
  const std::int64_t top = inside(low_[0] - row, rows), bottom = std::max(top, inside(low_[0] - row + image_[0], rows));
  const std::int64_t left = inside(low_[1], across), right = std::max(left, inside(low_[1] + image_[1], across));
  const auto clear = [&](std::int64_t from, std::int64_t to) { std::fill(frame + from * channels, frame + to * channels, Real(0)); };
  clear(0, top * across), clear(bottom * across, rows * across);
  const Real* from = x + (row + top - low_[0]) * image_[1] + (left - low_[1]);
  if (right - left == across && across == image_[1]) {
    tiles.transpose(from, stride, static_cast<int>(channels), (bottom - top) * across, frame + top * across * channels, channels);
    return frame;
  }
  for (std::int64_t i = top; i < bottom; i++, from += image_[1]) {
    clear(i * across, i * across + left), clear(i * across + right, (i + 1) * across);
    tiles.transpose(from, stride, static_cast<int>(channels), right - left, frame + (i * across + left) * channels, channels);
  }
  return frame;
}

template class TilePoints<float>;
template class TilePoints<double>;

}  // namespace gradpack
