// map: y[Σ iₐ toₐ] (+)= expression(inputs, coordinates). One that is an input alone is a copy.
#include <algorithm>

#include "../threads/grain.h"
#include "decoders.h"
#include "expression.h"
#include "strided-copy.h"

namespace gradpack {
namespace {

template <class Real> class Map final : public Call {
 public:
  Map(Expression<Real> expression, std::int64_t size, Place y, const Runs& to, bool accumulate)
      : expression_(std::move(expression)), size_(size), y_(y), to_(to), accumulate_(accumulate) {}

  void run(const Run& run) const override {
    Real* y = run.write<Real>(y_);
    run.parallelRanges(size_, grainOf(expression_.nanosecondsPerElement()), [&](std::int64_t from, std::int64_t to) {
      Real* registers = expression_.registers();
      for (std::int64_t start = from, count = 0; start < to; start += count) {
        count = expression_.reach(start, to - start);
        Real* result = !accumulate_ && to_.step() == 1 && to_.together(start, count) ? y + to_.at(start) : nullptr;
        const auto values = expression_.evaluate(run, start, static_cast<int>(count), registers, result);
        if (values.at != result) store(y, start, count, values);
        else if (values.single) std::fill_n(result + 1, count - 1, *result);
      }
    });
  }
  double flops() const override { return static_cast<double>(size_) * expression_.flopsPerElement(); }
  double bytes() const override { return static_cast<double>(size_) * (expression_.inputs() + 1) * sizeof(Real); }

 private:
  void store(Real* y, std::int64_t start, std::int64_t count, const typename Expression<Real>::Values& values) const {
    const auto& add = isa<Real>().elementwise.binary[static_cast<int>(BinaryOp::add)];
    const std::ptrdiff_t step = to_.step();
    if (!accumulate_ && !values.single && step == 1)
      return to_.eachPlate(start, count, [&](std::ptrdiff_t offset, std::ptrdiff_t stride, std::int64_t done, std::int64_t rows, std::int64_t n) {
        isa<Real>().elementwise.copyRows(values.at + done, n, y + offset, stride, rows, n);
      });
    to_.each(start, count, [&](std::ptrdiff_t offset, std::int64_t done, std::int64_t n) {
      Real* to = y + offset;
      const Real* from = values.single ? values.at : values.at + done;
      if (accumulate_ && step == 1) add[static_cast<int>(values.single ? Single::b : Single::neither)](to, from, to, n);
      else if (values.single)
        for (std::int64_t i = 0; i < n; i++) to[i * step] = accumulate_ ? to[i * step] + *from : *from;
      else
        for (std::int64_t i = 0; i < n; i++) to[i * step] = accumulate_ ? to[i * step] + from[i] : from[i];
    });
  }

  Expression<Real> expression_;
  std::int64_t size_;
  Place y_;
  Runs to_;
  bool accumulate_;
};

template <class Real> class Broadcast final : public Call {
 public:
  Broadcast(Place x, Place y, const StridedCopy<Real>& copy) : x_(x), y_(y), copy_(copy) {}
  void run(const Run& run) const override { copy_.run(run, run.read<Real>(x_), run.write<Real>(y_)); }
  double bytes() const override { return copy_.bytes(); }

 private:
  Place x_, y_;
  StridedCopy<Real> copy_;
};

}  // namespace

template <class Real> std::unique_ptr<Call> decodeMap(CallReader& words) {
  words.expectOperands(words.readCount(), 1);
  const Shape shape = words.extents(words.count(mostAxes));
  Expression<Real> expression(words, shape);
  const Shape strides = words.numbers(static_cast<int>(shape.size()));
  const Strides to(strides.begin(), strides.end());
  const bool accumulate = words.flag();
  Extent extent;
  for (std::size_t axis = 0; axis < shape.size(); axis++) extent.axis(shape[axis], to[axis]);
  const Place y = words.write(0, words.precision, extent);
  if (const auto* input = expression.onlyInput()) return std::make_unique<Broadcast<Real>>(input->place, y, StridedCopy<Real>(shape, input->strides, to, accumulate));
  return std::make_unique<Map<Real>>(std::move(expression), sizeOf(shape), y, Runs(shape, to), accumulate);
}
template std::unique_ptr<Call> decodeMap<float>(CallReader&);
template std::unique_ptr<Call> decodeMap<double>(CallReader&);

}  // namespace gradpack
