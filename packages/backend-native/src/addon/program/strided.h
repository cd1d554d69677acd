// Strided iteration over a shape by several operands at once: neighbouring axes that all operands walk through without a gap are
// merged, so that inner runs are as long as they can be.
#pragma once
#include <algorithm>
#include <cstddef>
#include <vector>

#include "reader.h"

namespace gradpack {

using Strides = std::vector<std::ptrdiff_t>;

struct Strided {
  Shape shape;
  /// [operand][axis]
  std::vector<Strides> strides;

  int axes() const { return static_cast<int>(shape.size()); }
  /// Merges what can be merged; at least one axis remains. Row-major order of the elements stays.
  void merge();
};

inline void Strided::merge() {
  Strided merged;
  merged.strides.resize(strides.size());
  for (std::size_t axis = 0; axis < shape.size(); axis++) {
    if (shape[axis] == 1) continue;
    bool joins = !merged.shape.empty();
    for (std::size_t operand = 0; joins && operand < strides.size(); operand++) joins = merged.strides[operand].back() == strides[operand][axis] * shape[axis];
    if (joins) merged.shape.back() *= shape[axis];
    else merged.shape.push_back(shape[axis]);
    for (std::size_t operand = 0; operand < strides.size(); operand++) {
      if (joins) merged.strides[operand].back() = strides[operand][axis];
      else merged.strides[operand].push_back(strides[operand][axis]);
    }
  }
  if (merged.shape.empty()) {
    merged.shape.push_back(1);
    for (Strides& operand : merged.strides) operand.push_back(0);
  }
  *this = std::move(merged);
}

/// Where one operand's elements lie, walked in row-major order.
class Cursor {
 public:
  Cursor(const Shape& shape, const Strides& strides, std::int64_t flat) : shape_(shape), strides_(strides) {
    for (int axis = static_cast<int>(shape.size()); axis-- > 0; flat /= shape[static_cast<std::size_t>(axis)]) {
      index_[axis] = flat % shape[static_cast<std::size_t>(axis)];
      offset_ += index_[axis] * strides[static_cast<std::size_t>(axis)];
    }
  }
  std::int64_t operator[](int axis) const { return index_[axis]; }
  /// To the end of `steps` along the last axis, which has as many left.
  void skip(std::int64_t steps) {
    index_[shape_.size() - 1] += steps - 1;
    offset_ += (steps - 1) * strides_.back();
    next();
  }
  std::ptrdiff_t offset() const { return offset_; }
  void next() {
    for (std::size_t axis = shape_.size(); axis-- > 0;) {
      offset_ += strides_[axis];
      if (++index_[axis] < shape_[axis]) return;
      offset_ -= shape_[axis] * strides_[axis];
      index_[axis] = 0;
    }
  }

 private:
  const Shape& shape_;
  const Strides& strides_;
  std::int64_t index_[mostAxes + 2];
  std::ptrdiff_t offset_ = 0;
};

/// One operand's elements in row-major order, as runs of equal steps.
class Runs {
 public:
  Runs() = default;
  Runs(const Shape& shape, const Strides& strides) {
    Strided merged{shape, {strides}};
    merged.merge();
    length_ = merged.shape.back(), step_ = merged.strides[0].back();
    merged.shape.pop_back(), merged.strides[0].pop_back();
    shape_ = merged.shape, strides_ = merged.strides[0];
  }
  std::ptrdiff_t step() const { return step_; }
  /// Whether elements [start, start + count) lie in one run.
  bool together(std::int64_t start, std::int64_t count) const { return shape_.empty() || start % length_ + count <= length_; }
  /// Where element `flat` lies.
  std::ptrdiff_t at(std::int64_t flat) const {
    if (shape_.empty()) return flat * step_;
    return Cursor(shape_, strides_, flat / length_).offset() + flat % length_ * step_;
  }
  /// Elements [start, start + count) as body(offset, first − start, how many), one call a run.
  template <class F> void each(std::int64_t start, std::int64_t count, const F& body) const {
    if (shape_.empty()) return body(start * step_, std::int64_t{0}, count);
    std::int64_t skipped = start % length_;
    Cursor run(shape_, strides_, start / length_);
    for (std::int64_t done = 0; done < count; skipped = 0, run.next()) {
      const std::int64_t n = count - done < length_ - skipped ? count - done : length_ - skipped;
      body(run.offset() + skipped * step_, done, n);
      done += n;
    }
  }
  /// Elements [start, start + count) as body(offset, distance of rows, first − start, rows, how many of each): whole runs that lie evenly together.
  template <class F> void eachPlate(std::int64_t start, std::int64_t count, const F& body) const {
    if (shape_.empty()) return body(start * step_, std::ptrdiff_t{0}, std::int64_t{0}, std::int64_t{1}, count);
    const int last = static_cast<int>(shape_.size()) - 1;
    std::int64_t skipped = start % length_, rows = 1;
    Cursor run(shape_, strides_, start / length_);
    for (std::int64_t done = 0; done < count; skipped = 0, run.skip(rows)) {
      const std::int64_t n = std::min(count - done, length_ - skipped);
      rows = n < length_ ? 1 : std::min((count - done) / length_, shape_.back() - run[last]);
      body(run.offset() + skipped * step_, strides_.back(), done, rows, n);
      done += rows * n;
    }
  }

 private:
  Shape shape_;
  Strides strides_;
  std::int64_t length_ = 1;
  std::ptrdiff_t step_ = 0;
};

}  // namespace gradpack
