// map: y[Σ iₐ toₐ] (+)= expression(inputs, coordinates).
#include <algorithm>

#include "../memory/scratch.h"
#include "decoders.h"
#include "expression.h"

namespace gradpack {
namespace {

template <class Real> class Map final : public Call {
 public:
  explicit Map(CallReader& words) : Map(words, words.extents(words.count(mostAxes))) {}

  void run(const Run& run) const override {
    Real* y = run.write<Real>(y_);
    run.parallelRanges(size_, grain, [&](std::int64_t from, std::int64_t to) {
      Real* registers = expression_.registers();
      for (std::int64_t start = from; start < to; start += Expression<Real>::lanes) {
        const int count = static_cast<int>(std::min<std::int64_t>(Expression<Real>::lanes, to - start));
        store(y, start, count, expression_.evaluate(run, start, count, registers));
      }
    });
  }
  double flops() const override { return static_cast<double>(size_) * expression_.flopsPerElement(); }
  double bytes() const override { return static_cast<double>(size_) * (expression_.inputs() + 1) * sizeof(Real); }

 private:
  static constexpr std::int64_t grain = 16384;

  Map(CallReader& words, const Shape& shape) : expression_((words.expectOperands(words.readCount(), 1), words), shape), size_(sizeOf(shape)) {
    const Shape to = words.numbers(static_cast<int>(shape.size()));
    accumulate_ = words.flag();
    Extent extent;
    for (std::size_t axis = 0; axis < shape.size(); axis++) extent.axis(shape[axis], to[axis]);
    y_ = words.write(0, words.precision, extent);
    to_.shape = shape;
    to_.strides = {Strides(to.begin(), to.end())};
    to_.merge();
  }

  void store(Real* y, std::int64_t start, int count, const Real* values) const {
    const Strides& strides = to_.strides[0];
    const std::ptrdiff_t step = strides.back();
    Odometer at(to_.shape, start);
    for (int done = 0; done < count;) {
      const int n = static_cast<int>(std::min<std::int64_t>(count - done, at.left()));
      Real* to = y + at.offset(strides);
      const Real* from = values + done;
      if (accumulate_)
        for (int i = 0; i < n; i++) to[i * step] += from[i];
      else if (step == 1) std::copy_n(from, n, to);
      else
        for (int i = 0; i < n; i++) to[i * step] = from[i];
      done += n;
      at.advance(n);
    }
  }

  Expression<Real> expression_;
  std::int64_t size_;
  Strided to_;
  Place y_;
  bool accumulate_ = false;
};

}  // namespace

template <class Real> std::unique_ptr<Call> decodeMap(CallReader& words) { return std::make_unique<Map<Real>>(words); }
template std::unique_ptr<Call> decodeMap<float>(CallReader&);
template std::unique_ptr<Call> decodeMap<double>(CallReader&);

}  // namespace gradpack
