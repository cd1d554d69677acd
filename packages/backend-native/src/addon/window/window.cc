#include "window.h"

#include <algorithm>
#include <utility>

namespace gradpack {
namespace {

/// Entries of a position table: a 7×7 kernel on 1024² positions has 51 million.
constexpr std::int64_t mostEntries = std::int64_t{1} << 27;

}  // namespace

std::int64_t checkedPositions(std::int64_t count) {
  if (count > mostEntries) failInternal("its window has too many positions");
  return count;
}

Window::Window(Reader& words) {
  const int axes = words.count(8);
  input_ = words.extents(axes);
  kernel_ = words.extents(axes);
  output_ = words.extents(axes);
  stride_ = words.extents(axes);
  dilation_ = words.extents(axes);
  low_ = words.numbers(axes);
  transposed_ = words.flag();
  mode_ = static_cast<Mode>(words.within(0, 4));
  S_ = sizeOf(input_), K_ = sizeOf(kernel_), T_ = sizeOf(output_);
  checkedPositions(S_), checkedPositions(checkedProduct(K_, T_));
  for (std::size_t axis = 0; axis < input_.size(); axis++)
    for (const std::int64_t x : {stride_[axis], dilation_[axis], low_[axis]})
      if (x > mostEntries || x < -mostEntries) failInternal("its window is out of range");
}

Window::Window(Shape input, Shape kernel, Shape output, Shape stride, Shape low)
    : input_(std::move(input)), kernel_(std::move(kernel)), output_(std::move(output)), stride_(std::move(stride)), dilation_(input_.size(), 1), low_(std::move(low)), transposed_(false), mode_(Mode::zeros),
      S_(sizeOf(input_)), K_(sizeOf(kernel_)), T_(sizeOf(output_)) {}

std::int64_t Window::positionAlong(std::size_t axis, std::int64_t k, std::int64_t t) const {
  const std::int64_t extent = input_[axis], stride = stride_[axis], low = low_[axis], reach = k * dilation_[axis];
  if (transposed_) {
    const std::int64_t scaled = t + low - reach;
    return scaled < 0 || scaled % stride != 0 || scaled / stride >= extent ? -1 : scaled / stride;
  }
  const std::int64_t p = t * stride - low + reach;
  if (p >= 0 && p < extent) return p;
  switch (mode_) {
    case Mode::zeros: return -1;
    case Mode::circular: return (p % extent + extent) % extent;
    case Mode::replicate: return p < 0 ? 0 : extent - 1;
    case Mode::reflect: break;
  }
  const std::int64_t mirrored = p < 0 ? -p : 2 * (extent - 1) - p;
  if (mirrored < 0 || mirrored >= extent) failInternal("its window reflects beyond the input");
  return mirrored;
}

Window Window::mirrored() const {
  Window other = *this;
  std::swap(other.input_, other.output_);
  std::swap(other.S_, other.T_);
  other.transposed_ = !transposed_;
  other.mode_ = Mode::zeros;
  return other;
}

std::vector<std::int32_t> Window::table() const {
  std::vector<std::int32_t> table(static_cast<std::size_t>(K_ * T_));
  // positions along one axis, then their combinations by row-major counting
  const std::size_t axes = input_.size();
  std::vector<std::vector<std::int64_t>> along(axes);
  for (std::size_t axis = 0; axis < axes; axis++)
    for (std::int64_t k = 0; k < kernel_[axis]; k++)
      for (std::int64_t t = 0; t < output_[axis]; t++) along[axis].push_back(positionAlong(axis, k, t));
  for (std::int64_t k = 0; k < K_; k++)
    for (std::int64_t t = 0; t < T_; t++) {
      std::int64_t flat = 0, scale = 1, restK = k, restT = t;
      for (std::size_t axis = axes; axis-- > 0;) {
        const std::int64_t p = along[axis][static_cast<std::size_t>(restK % kernel_[axis] * output_[axis] + restT % output_[axis])];
        restK /= kernel_[axis], restT /= output_[axis];
        if (p < 0) {
          flat = -1;
          break;
        }
        flat += p * scale;
        scale *= input_[axis];
      }
      table[static_cast<std::size_t>(k * T_ + t)] = static_cast<std::int32_t>(flat);
    }
  return table;
}

}  // namespace gradpack
