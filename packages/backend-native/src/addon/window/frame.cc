#include "frame.h"

#include <algorithm>
#include <numeric>

#include "../isa/isa.h"
#include "../memory/scratch.h"

namespace gradpack {
namespace {

/// One axis: kernel offset k and output t meet at taps[k] + t, and positions[taps[k] + t] of the input lies there (−1: none).
struct FrameAxis {
  std::vector<std::int64_t> taps, positions;

  FrameAxis(const Window& window, std::size_t axis) {
    const std::int64_t K = window.kernel()[axis], T = window.output()[axis], stride = window.stride()[axis], dilation = window.dilation()[axis];
    const std::int64_t reach = checkedProduct(K - 1, dilation);
    std::int64_t extent = T + reach;
    if (window.transposed()) {
      for (std::int64_t k = 0; k < K; k++) taps.push_back(reach - k * dilation);
    } else {
      // t·stride + k·dilation has remainder k·dilation mod stride, which repeats; remainders that no k has are left out
      const std::int64_t phases = stride / std::gcd(stride, dilation), length = T + reach / stride;
      for (std::int64_t k = 0; k < K; k++) taps.push_back(k % phases * length + k * dilation / stride);
      extent = checkedProduct(std::min(K, phases), length);
    }
    positions.assign(static_cast<std::size_t>(checkedPositions(extent)), -1);
    for (std::int64_t k = 0; k < K; k++)
      for (std::int64_t t = 0; t < T; t++) positions[static_cast<std::size_t>(taps[static_cast<std::size_t>(k)] + t)] = window.positionAlong(axis, k, t);
  }
  std::int64_t extent() const { return static_cast<std::int64_t>(positions.size()); }
};

/// body(flat index, indices) over all of a shape in row-major order.
template <class F> void eachIndex(const Shape& shape, const F& body) {
  Shape index(shape.size(), 0);
  for (std::int64_t flat = 0, n = sizeOf(shape); flat < n; flat++) {
    body(flat, index);
    for (std::size_t axis = shape.size(); axis-- > 0 && ++index[axis] == shape[axis];) index[axis] = 0;
  }
}

/// Channels that are transposed at a time: a cache line of floats.
constexpr std::int64_t blockChannels = 16;

}  // namespace

Frame::Frame(const Window& window) : inputs(window.inputs()), offsets(window.offsets()), outputs(window.outputs()), size(1) {
  std::vector<FrameAxis> axes;
  Shape extents;
  for (std::size_t axis = 0; axis < window.input().size(); axis++) {
    axes.emplace_back(window, axis);
    extents.push_back(axes.back().extent());
    size = checkedPositions(checkedProduct(size, extents.back()));
  }
  const auto flat = [&](const Shape& index, const auto& along) {
    std::int64_t sum = 0;
    for (std::size_t axis = 0; axis < axes.size(); axis++) sum = sum * extents[axis] + along(axis, index[axis]);
    return static_cast<std::int32_t>(sum);
  };
  eachIndex(window.output(), [&](std::int64_t, const Shape& t) { columns.push_back(flat(t, [](std::size_t, std::int64_t i) { return i; })); });
  eachIndex(window.kernel(), [&](std::int64_t, const Shape& k) { taps.push_back(flat(k, [&](std::size_t axis, std::int64_t i) { return axes[axis].taps[static_cast<std::size_t>(i)]; })); });

  std::int64_t held = 0;
  eachIndex(extents, [&](std::int64_t at, const Shape& index) {
    std::int64_t position = 0;
    for (std::size_t axis = 0; axis < axes.size(); axis++) {
      const std::int64_t along = axes[axis].positions[static_cast<std::size_t>(index[axis])];
      if (along < 0) return;
      position = position * window.input()[axis] + along;
    }
    held++;
    const std::int32_t p = static_cast<std::int32_t>(position), q = static_cast<std::int32_t>(at);
    if (!pieces_.empty()) {
      Piece& last = pieces_.back();
      if (last.count == 1) last.stepP = p - last.p, last.stepQ = q - last.q;
      if (p == last.p + last.count * last.stepP && q == last.q + last.count * last.stepQ) {
        last.count++;
        return;
      }
    }
    pieces_.push_back({p, q, 1, 1, 1});
  });
  full_ = held == size;
  image_ = size == inputs && pieces_.size() == 1 && pieces_[0].count == size && (size == 1 || pieces_[0].stepP == 1);
}

std::vector<std::int32_t> Frame::origins() const {
  std::vector<std::int32_t> origins(static_cast<std::size_t>(size), -1);
  for (const Piece& piece : pieces_)
    for (std::int32_t i = 0; i < piece.count; i++) origins[static_cast<std::size_t>(piece.q + i * piece.stepQ)] = piece.p + i * piece.stepP;
  return origins;
}

template <class Real> void Frame::lay(const Real* x, std::ptrdiff_t stride, std::int64_t channels, Real* frame) const {
  for (std::int64_t c = 0; c < channels; c++, x += stride, frame += size) {
    if (!full_) std::fill_n(frame, size, Real(0));
    for (const Piece& piece : pieces_) {
      const Real* from = x + piece.p;
      Real* to = frame + piece.q;
      if (piece.stepP == 1 && piece.stepQ == 1)
        for (std::ptrdiff_t i = 0; i < piece.count; i++) to[i] = from[i];
      else
        for (std::ptrdiff_t i = 0; i < piece.count; i++) to[i * piece.stepQ] = from[i * piece.stepP];
    }
  }
}

template <class Real> void Frame::collect(const Real* frame, std::int64_t channels, Real* x, std::ptrdiff_t stride, bool add) const {
  for (std::int64_t c = 0; c < channels; c++, x += stride, frame += size) {
    if (!add) std::fill_n(x, inputs, Real(0));
    for (const Piece& piece : pieces_) {
      const Real* from = frame + piece.q;
      Real* to = x + piece.p;
      if (piece.stepP == 1 && piece.stepQ == 1)
        for (std::ptrdiff_t i = 0; i < piece.count; i++) to[i] += from[i];
      else
        for (std::ptrdiff_t i = 0; i < piece.count; i++) to[i * piece.stepP] += from[i * piece.stepQ];
    }
  }
}

// Channels last by way of the image with a few channels last, which stays near: transposing whole images has no short rows.

template <class Real> void Frame::layChannelsLast(const Real* x, std::ptrdiff_t stride, std::int64_t channels, Real* frame) const {
  const Tiles<Real>& tiles = isa<Real>().tiles;
  if (image_) return tiles.transpose(x, stride, static_cast<int>(channels), inputs, frame, channels);
  if (!full_) std::fill_n(frame, size * channels, Real(0));
  Real* image = scratch<Real>(Scratch::image, inputs * blockChannels);
  for (std::int64_t c = 0; c < channels; c += blockChannels) {
    const std::int64_t m = std::min(blockChannels, channels - c);
    tiles.transpose(x + c * stride, stride, static_cast<int>(m), inputs, image, m);
    for (const Piece& piece : pieces_) {
      const Real* from = image + piece.p * m;
      Real* to = frame + piece.q * channels + c;
      const std::ptrdiff_t stepFrom = piece.stepP * m, stepTo = piece.stepQ * channels;
      if (m == blockChannels)
        for (std::int32_t i = 0; i < piece.count; i++, from += stepFrom, to += stepTo) std::copy_n(from, blockChannels, to);
      else
        for (std::int32_t i = 0; i < piece.count; i++, from += stepFrom, to += stepTo) std::copy_n(from, m, to);
    }
  }
}

template <class Real> void Frame::collectChannelsLast(const Real* frame, std::ptrdiff_t ld, std::int64_t channels, Real* x, std::ptrdiff_t stride, bool add) const {
  const Tiles<Real>& tiles = isa<Real>().tiles;
  if (image_ && !add) return tiles.transpose(frame, ld, static_cast<int>(inputs), channels, x, stride);
  Real* image = scratch<Real>(Scratch::image, inputs * blockChannels);
  for (std::int64_t c = 0; c < channels; c += blockChannels) {
    const std::int64_t m = std::min(blockChannels, channels - c);
    if (add) tiles.transpose(x + c * stride, stride, static_cast<int>(m), inputs, image, m);
    else std::fill_n(image, inputs * m, Real(0));
    for (const Piece& piece : pieces_) {
      const Real* from = frame + piece.q * ld + c;
      Real* to = image + piece.p * m;
      const std::ptrdiff_t stepFrom = piece.stepQ * ld, stepTo = piece.stepP * m;
      if (m == blockChannels)
        for (std::int32_t i = 0; i < piece.count; i++, from += stepFrom, to += stepTo)
          for (std::ptrdiff_t j = 0; j < blockChannels; j++) to[j] += from[j];
      else
        for (std::int32_t i = 0; i < piece.count; i++, from += stepFrom, to += stepTo)
          for (std::ptrdiff_t j = 0; j < m; j++) to[j] += from[j];
    }
    tiles.transpose(image, m, static_cast<int>(inputs), m, x + c * stride, stride);
  }
}

#define GRADPACK_FRAME(Real)                                                                                                 \
  template void Frame::lay<Real>(const Real*, std::ptrdiff_t, std::int64_t, Real*) const;                                     \
  template void Frame::collect<Real>(const Real*, std::int64_t, Real*, std::ptrdiff_t, bool) const;                           \
  template void Frame::layChannelsLast<Real>(const Real*, std::ptrdiff_t, std::int64_t, Real*) const;                         \
  template void Frame::collectChannelsLast<Real>(const Real*, std::ptrdiff_t, std::int64_t, Real*, std::ptrdiff_t, bool) const;
GRADPACK_FRAME(float)
GRADPACK_FRAME(double)
#undef GRADPACK_FRAME

}  // namespace gradpack
