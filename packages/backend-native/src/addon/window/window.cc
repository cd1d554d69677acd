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

WindowRuns::WindowRuns(const Window& window) : inputs(window.inputs()), offsets(window.offsets()), outputs(window.outputs()) {
  const std::vector<std::int32_t> table = window.table();
  for (std::int64_t k = 0; k < offsets; k++) {
    first_.push_back(runs_.size());
    const std::size_t own = runs_.size();
    std::int64_t valid = 0;
    for (std::int32_t t = 0; t < outputs; t++) {
      const std::int32_t p = table[static_cast<std::size_t>(k * outputs + t)];
      if (p < 0) continue;
      valid++;
      if (runs_.size() > own) {
        WindowRun& last = runs_.back();
        if (last.count == 1) last.stepT = t - last.t, last.stepP = p - last.p;
        if (t == last.t + last.count * last.stepT && p == last.p + last.count * last.stepP) {
          last.count++;
          continue;
        }
      }
      runs_.push_back({t, p, 1, 1, 1});
    }
    full_.push_back(valid == outputs);
  }
  first_.push_back(runs_.size());
}

template <class F> void WindowRuns::clipped(std::int64_t k, std::int64_t t0, std::int64_t n, const F& body) const {
  const WindowRun* last = end(k);
  const WindowRun* run = std::partition_point(begin(k), last, [&](const WindowRun& r) { return r.t + std::int64_t{r.count - 1} * r.stepT < t0; });
  for (; run != last && run->t < t0 + n; run++) {
    const std::int64_t skipped = run->t >= t0 ? 0 : (t0 - run->t + run->stepT - 1) / run->stepT;
    const std::int64_t from = run->t + skipped * run->stepT - t0;
    const std::int64_t count = std::min<std::int64_t>(run->count - skipped, (n - from + run->stepT - 1) / run->stepT);
    if (count > 0) body(from, run->p + skipped * run->stepP, count, run->stepT, run->stepP);
  }
}

template <class Real> void WindowRuns::unfold(std::int64_t k, const Real* x, std::int64_t t0, std::int64_t n, Real* row) const {
  if (!full_[static_cast<std::size_t>(k)]) std::fill_n(row, n, Real(0));
  clipped(k, t0, n, [&](std::int64_t t, std::int64_t p, std::int64_t count, std::int64_t stepT, std::int64_t stepP) {
    const Real* from = x + p;
    Real* to = row + t;
    if (stepT == 1 && stepP == 1)
      for (std::int64_t i = 0; i < count; i++) to[i] = from[i];
    else
      for (std::int64_t i = 0; i < count; i++) to[i * stepT] = from[i * stepP];
  });
}

template <class Real> void WindowRuns::fold(std::int64_t k, const Real* row, std::int64_t t0, std::int64_t n, Real* x) const {
  clipped(k, t0, n, [&](std::int64_t t, std::int64_t p, std::int64_t count, std::int64_t stepT, std::int64_t stepP) {
    const Real* from = row + t;
    Real* to = x + p;
    if (stepT == 1 && stepP == 1)
      for (std::int64_t i = 0; i < count; i++) to[i] += from[i];
    else
      for (std::int64_t i = 0; i < count; i++) to[i * stepP] += from[i * stepT];
  });
}

template void WindowRuns::unfold<float>(std::int64_t, const float*, std::int64_t, std::int64_t, float*) const;
template void WindowRuns::unfold<double>(std::int64_t, const double*, std::int64_t, std::int64_t, double*) const;
template void WindowRuns::fold<float>(std::int64_t, const float*, std::int64_t, std::int64_t, float*) const;
template void WindowRuns::fold<double>(std::int64_t, const double*, std::int64_t, std::int64_t, double*) const;

}  // namespace gradpack
