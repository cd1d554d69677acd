#include "unfolding.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>

#include "../isa/isa.h"
#include "../memory/scratch.h"

namespace gradpack {

template <class Real> Unfolding<Real>::Unfolding(const Window& window) : frame_(window), lanes_(isa<Real>().lanes.width, frame_.columns) {}

template <class Real> bool Unfolding<Real>::reaches(std::ptrdiff_t stride) const {
  const std::int64_t furthest = std::max<std::int64_t>(std::abs(stride), frame_.size);
  return furthest <= std::numeric_limits<std::int32_t>::max() / (Tiles<Real>::mostColumns + 1);
}

template <class Real>
void Unfolding<Real>::pack(const Real* image, std::ptrdiff_t stride, std::int64_t f, std::int64_t m, std::int64_t t, std::int64_t count, Real* d, std::ptrdiff_t ld) const {
  const std::int64_t K = frame_.offsets, first = f / K, channels = (f + m - 1) / K - first + 1;
  const Real* x = image + first * stride;
  if (!frame_.isImage()) {
    Real* laid = scratch<Real>(Scratch::image, channels * frame_.size);
    frame_.lay(x, stride, channels, laid);
    x = laid;
    stride = frame_.size;
  }
  const LaneKernels<Real>& lanes = isa<Real>().lanes;
  std::array<std::int32_t, Tiles<Real>::mostColumns> rows;
  for (std::int64_t r = 0; r < m; r++) rows[static_cast<std::size_t>(r)] = static_cast<std::int32_t>(((f + r) / K - first) * stride) + frame_.taps[static_cast<std::size_t>((f + r) % K)];
  for (std::int64_t v = t / lanes.width; v * lanes.width < t + count; v++, d += lanes.width * ld)
    for (std::int64_t r = 0; r < m; r += lanes.width) lanes.packTransposed(lanes_, v, x, rows.data() + r, static_cast<int>(std::min<std::int64_t>(lanes.width, m - r)), d + r, ld);
}

template class Unfolding<float>;
template class Unfolding<double>;

}  // namespace gradpack
