#include "unfolding.h"

#include <algorithm>
#include <limits>

#include "../isa/isa.h"
#include "../memory/scratch.h"

namespace gradpack {

template <class Real> Unfolding<Real>::Unfolding(const Window& window, std::int64_t F) : frame_(window), lanes_(isa<Real>().lanes.width, frame_.columns), origins_(frame_.origins()) {
  const std::int64_t K = frame_.offsets;
  if (checkedProduct((F + K - 1) / K, frame_.size) > std::numeric_limits<std::int32_t>::max()) failInternal("an unfolded image is too large");
  for (std::int64_t f = 0; f < F; f++) rows_.push_back(static_cast<std::int32_t>(f / K * frame_.size + frame_.taps[static_cast<std::size_t>(f % K)]));
}

template <class Real> typename Unfolding<Real>::Channels Unfolding<Real>::lay(const Real* image, std::ptrdiff_t stride, std::int64_t f, std::int64_t m) const {
  const std::int64_t first = f / frame_.offsets, count = (f + m - 1) / frame_.offsets - first + 1;
  const Real* x = image + first * stride;
  if (frame_.isImage() && (stride == frame_.size || count == 1)) return {x, first};
  Real* laid = scratch<Real>(Scratch::frame, count * frame_.size);
  frame_.lay(x, stride, count, laid);
  return {laid, first};
}

template <class Real> void Unfolding<Real>::pack(const Channels& channels, std::int64_t f, std::int64_t m, std::int64_t t, std::int64_t count, Real* d, std::ptrdiff_t ld) const {
  const LaneKernels<Real>& kernels = isa<Real>().lanes;
  const std::int32_t* rows = rows_.data() + (f - channels.first * frame_.offsets);
  for (std::int64_t r = 0; r < m; r += kernels.width) {
    const int here = static_cast<int>(std::min<std::int64_t>(kernels.width, m - r));
    Real* to = d + r;
    for (std::ptrdiff_t v = t / kernels.width; v * kernels.width < t + count; v++, to += kernels.width * ld) kernels.packTransposed(lanes_, v, channels.frame, rows + r, here, to, ld);
  }
}

template <class Real> Real Unfolding<Real>::entry(const Real* image, std::ptrdiff_t stride, std::int64_t f, std::int64_t t) const {
  const std::int64_t K = frame_.offsets;
  const std::int32_t at = origins_[static_cast<std::size_t>(frame_.columns[static_cast<std::size_t>(t)] + frame_.taps[static_cast<std::size_t>(f % K)])];
  return at < 0 ? Real(0) : image[f / K * stride + at];
}

template <class Real> void Unfolding<Real>::row(const Real* image, std::ptrdiff_t stride, std::int64_t f, Real* line) const {
  for (std::int64_t t = 0; t < frame_.outputs; t++) line[t] = entry(image, stride, f, t);
}

template class Unfolding<float>;
template class Unfolding<double>;

}  // namespace gradpack
