// copy: y[Σ iₐ toₐ] (+)= x[Σ iₐ fromₐ]. Axes are taken in the order of y's strides, so that writes are sequential; where x is then
// read across, it is contiguous along another axis, and the two axes are walked in small squares (a transpose).
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "../program/strided.h"
#include "decoders.h"

namespace gradpack {
namespace {

template <class T, bool accumulate> void copyRow(const T* x, std::ptrdiff_t sx, T* y, std::ptrdiff_t sy, std::int64_t n) {
  if constexpr (!accumulate) {
    if (sx == 1 && sy == 1) {
      std::memcpy(y, x, static_cast<std::size_t>(n) * sizeof(T));
      return;
    }
  }
  if (sx == 1 && sy == 1)
    for (std::int64_t i = 0; i < n; i++) y[i] = accumulate ? static_cast<T>(y[i] + x[i]) : x[i];
  else
    for (std::int64_t i = 0; i < n; i++) y[i * sy] = accumulate ? static_cast<T>(y[i * sy] + x[i * sx]) : x[i * sx];
}

/// rows × n with x contiguous along the rows' axis.
template <class T, bool accumulate> void copySquare(const T* x, std::ptrdiff_t sx, T* y, std::ptrdiff_t rowY, std::ptrdiff_t sy, int rows, std::int64_t n) {
  constexpr std::int64_t side = 16;
  for (std::int64_t i0 = 0; i0 < n; i0 += side)
    for (int row = 0; row < rows; row++)
      for (std::int64_t i = i0, end = std::min(n, i0 + side); i < end; i++) {
        T& to = y[row * rowY + i * sy];
        const T from = x[row + i * sx];
        to = accumulate ? static_cast<T>(to + from) : from;
      }
}

template <class T> class Copy final : public Call {
 public:
  Copy(CallReader& words, const Shape& shape, const Shape& from, const Shape& to, bool accumulate) : accumulate_(accumulate), size_(sizeOf(shape)) {
    Extent read, written;
    std::vector<std::size_t> order(shape.size());
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t axis = 0; axis < shape.size(); axis++) {
      read.axis(shape[axis], from[axis]);
      written.axis(shape[axis], to[axis]);
    }
    x_ = words.read(0, dtypeOf<T>(), read);
    y_ = words.write(0, dtypeOf<T>(), written);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return std::abs(to[a]) > std::abs(to[b]); });
    walk_.strides.resize(2);
    for (const std::size_t axis : order) {
      walk_.shape.push_back(shape[axis]);
      walk_.strides[0].push_back(from[axis]);
      walk_.strides[1].push_back(to[axis]);
    }
    walk_.merge();
    length_ = take(walk_.axes() - 1, stepX_, stepY_);
    for (int axis = 0; axis < walk_.axes() && stepX_ != 1 && stepX_ != 0; axis++)
      if (walk_.strides[0][static_cast<std::size_t>(axis)] == 1) {
        std::ptrdiff_t one = 1;
        across_ = take(axis, one, acrossY_);
        break;
      }
    if (walk_.shape.empty()) {
      walk_.shape = {1};
      walk_.strides = {{0}, {0}};
    }
  }

  void run(const Run& run) const override {
    if (accumulate_) walk<true>(run);
    else walk<false>(run);
  }
  double bytes() const override { return 2.0 * static_cast<double>(size_) * sizeof(T); }

 private:
  static constexpr std::int64_t grain = 32768, side = 16;

  /// Takes an axis out of the walk.
  std::int64_t take(int axis, std::ptrdiff_t& x, std::ptrdiff_t& y) {
    const std::int64_t extent = walk_.shape[static_cast<std::size_t>(axis)];
    x = walk_.strides[0][static_cast<std::size_t>(axis)];
    y = walk_.strides[1][static_cast<std::size_t>(axis)];
    walk_.shape.erase(walk_.shape.begin() + axis);
    for (Strides& strides : walk_.strides) strides.erase(strides.begin() + axis);
    return extent;
  }

  template <bool accumulate> void walk(const Run& run) const {
    const T* x = run.read<T>(x_);
    T* y = run.write<T>(y_);
    // a piece: up to `grain` of the inner axis, `side` of the axis across, one of the others
    const std::int64_t cuts = (length_ + grain - 1) / grain, bands = (across_ + side - 1) / side, pieces = sizeOf(walk_.shape) * bands * cuts;
    const std::int64_t each = std::min(length_, grain) * std::min(across_, side);
    run.parallelRanges(pieces, std::max<std::int64_t>(1, grain / each), [&](std::int64_t first, std::int64_t end) {
      for (std::int64_t piece = first; piece < end; piece++) {
        const std::int64_t start = piece % cuts * grain, n = std::min(grain, length_ - start), band = piece / cuts % bands * side;
        const Odometer at(walk_.shape, piece / cuts / bands);
        const T* from = x + at.offset(walk_.strides[0]) + start * stepX_;
        T* to = y + at.offset(walk_.strides[1]) + start * stepY_ + band * acrossY_;
        if (across_ > 1) copySquare<T, accumulate>(from + band, stepX_, to, acrossY_, stepY_, static_cast<int>(std::min(side, across_ - band)), n);
        else copyRow<T, accumulate>(from, stepX_, to, stepY_, n);
      }
    });
  }

  bool accumulate_;
  std::int64_t size_;
  Place x_, y_;
  Strided walk_;
  std::int64_t length_ = 1, across_ = 1;
  std::ptrdiff_t stepX_ = 0, stepY_ = 0, acrossY_ = 0;
};

}  // namespace

template <class Real> std::unique_ptr<Call> decodeCopy(CallReader& words) {
  words.expectOperands(1, 1);
  const Dtype dtype = static_cast<Dtype>(words.within(0, 3));
  const Shape shape = words.extents(words.count(mostAxes));
  const int axes = static_cast<int>(shape.size());
  const Shape from = words.numbers(axes), to = words.numbers(axes);
  const bool accumulate = words.flag();
  if (dtype == Dtype::int32) return std::make_unique<Copy<std::int32_t>>(words, shape, from, to, accumulate);
  if (dtype != words.precision) failInternal("it copies numbers of another precision");
  return std::make_unique<Copy<Real>>(words, shape, from, to, accumulate);
}
template std::unique_ptr<Call> decodeCopy<float>(CallReader&);
template std::unique_ptr<Call> decodeCopy<double>(CallReader&);

}  // namespace gradpack
